"""The network policy of the pods of sweeps: whom it selects, and what it lets them reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from synth_api.jobs.messages import JobKind
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.manifests.names import JobKey, build_job_labels

if TYPE_CHECKING:
    from conftest import Helm, Objects

Tree = dict[str, Any]
NAME_SERVERS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}


def build_values(endpoint: str = "10.0.0.7:9000", **jobs: Any) -> Tree:
    return {
        "networkPolicy": {"jobs": {"enabled": True, "namespaces": ["lab"], **jobs}},
        "sweeps": {"output": {"endpoint": endpoint, "bucket": "data"}},
    }


def find_policies(objects: Objects) -> list[Tree]:
    return [each for each in objects.of("NetworkPolicy") if each["metadata"]["name"].endswith("-jobs")]


def read_store(objects: Objects) -> tuple[list[Tree], list[int]]:
    """Return peers and ports of the rule for the store."""
    (policy,) = find_policies(objects)
    rule = policy["spec"]["egress"][1]
    assert {port["protocol"] for port in rule["ports"]} == {"TCP"}
    return rule["to"], [port["port"] for port in rule["ports"]]


def test_it_selects_the_pods_of_every_kind_of_job_and_no_other(helm: Helm) -> None:
    objects = helm.render(build_values())
    (policy,) = find_policies(objects)
    (expression,) = policy["spec"]["podSelector"]["matchExpressions"]
    assert expression["operator"] == "Exists"
    metadata = {"namespace": "lab", "name": "s", "uid": "1", "resourceVersion": "1"}
    sweep = SweepObject.from_json({"metadata": metadata})
    for kind in JobKind:
        assert expression["key"] in build_job_labels(sweep, JobKey(kind, "a" * 64))
    assert expression["key"] not in objects.pod["metadata"]["labels"]


def test_pods_of_sweeps_reach_only_name_servers_and_the_store(helm: Helm) -> None:
    (policy,) = find_policies(helm.render(build_values()))
    spec = policy["spec"]
    assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in spec
    names, store = spec["egress"]
    assert names == {"to": [NAME_SERVERS], "ports": [{"port": 53, "protocol": each} for each in ("UDP", "TCP")]}
    assert store == {"to": [{"ipBlock": {"cidr": "10.0.0.7/32"}}], "ports": [{"port": 9000, "protocol": "TCP"}]}


def test_each_namespace_has_it(helm: Helm) -> None:
    values = build_values(namespaces=[]) | {"namespaces": ["lab-a", "lab-b"]}
    assert [each["metadata"]["namespace"] for each in find_policies(helm.render(values))] == ["lab-a", "lab-b"]
    assert find_policies(helm.render()) == []


def test_the_default_endpoint_says_where_the_store_is(helm: Helm) -> None:
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "store"}}}
    for endpoint, port in (("minio.store.svc:9000", 9000), ("minio.store.svc.cluster.local", 443)):
        assert read_store(helm.render(build_values(endpoint))) == ([selector], [port])
    plain = build_values("10.0.0.7")
    plain["sweeps"]["output"]["insecure"] = True
    assert read_store(helm.render(plain)) == ([{"ipBlock": {"cidr": "10.0.0.7/32"}}], [80])


def test_values_say_where_other_stores_are(helm: Helm) -> None:
    peers = [{"ipBlock": {"cidr": "203.0.113.0/24"}}, {"podSelector": {"matchLabels": {"app": "proxy"}}}]
    values = build_values("s3.example.org", storeTo=peers, storePorts=[443, 3128], dnsPorts=[5353])
    objects = helm.render(values)
    assert read_store(objects) == (peers, [443, 3128])
    (policy,) = find_policies(objects)
    assert {port["port"] for port in policy["spec"]["egress"][0]["ports"]} == {5353}


REFUSED = [
    (
        build_values("s3.example.org"),
        r"storeTo: name the addresses of the store, .* 's3\.example\.org' does not say them",
    ),
    (build_values(namespaces=[]), r"jobs\.namespaces: name the namespaces of sweeps"),
]


@pytest.mark.parametrize(("values", "sentence"), REFUSED, ids=["store", "namespaces"])
def test_a_policy_of_unknown_places_is_refused(helm: Helm, values: Tree, sentence: str) -> None:
    with pytest.raises(Exception, match=sentence):
        helm.render(values)
