"""Settings of the operator's pods: what a platform adds to them and to all objects of the chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from servers import ROOT

if TYPE_CHECKING:
    from conftest import Helm

SELECTOR = ("name", "instance", "component")
DIGEST = "sha256:" + "a" * 64


def test_further_arguments_variables_and_volumes_reach_the_container(helm: Helm) -> None:
    secret = {"secretKeyRef": {"name": "proxy", "key": "url"}}
    values: dict[str, Any] = {
        "extraArgs": ["--identity", "a b"],
        "extraEnv": [{"name": "TZ", "value": "UTC"}, {"name": "HTTPS_PROXY", "valueFrom": secret}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/certs", "readOnly": True}],
    }
    plain, pod = helm.render().pod["spec"], helm.render(values).pod["spec"]
    for key, field in (("extraArgs", "args"), ("extraEnv", "env"), ("extraVolumeMounts", "volumeMounts")):
        assert pod["containers"][0][field] == plain["containers"][0][field] + values[key]
    assert pod["volumes"] == plain["volumes"] + values["extraVolumes"]


def test_placement_and_update_of_the_pods(helm: Helm) -> None:
    placement: dict[str, Any] = {
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "platform",
    }
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%"}}
    objects = helm.render({**placement, "strategy": strategy})
    assert {key: objects.pod["spec"][key] for key in placement} == placement
    assert objects.only("Deployment")["spec"]["strategy"] == strategy
    assert "strategy" not in helm.render().only("Deployment")["spec"]


def test_pods_are_spread_over_the_nodes_or_as_the_values_say(helm: Helm) -> None:
    selector = {"matchLabels": helm.render().only("Deployment")["spec"]["selector"]["matchLabels"]}
    (spread,) = helm.render({"replicas": 2}).pod["spec"]["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["labelSelector"]) == ("kubernetes.io/hostname", selector)
    zones = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    own = {**zones, "labelSelector": {"matchLabels": {"a": "b"}}}
    pod = helm.render({"topologySpreadConstraints": [zones, own]}).pod["spec"]
    assert pod["topologySpreadConstraints"] == [{**zones, "labelSelector": selector}, own]
    assert "topologySpreadConstraints" not in helm.render().pod["spec"]


def test_each_time_of_each_probe_can_be_set(helm: Helm) -> None:
    for position, name in enumerate(("startup", "liveness", "readiness"), 1):
        times = {
            "initialDelaySeconds": position,
            "periodSeconds": 10 + position,
            "timeoutSeconds": 20 + position,
            "failureThreshold": 30 + position,
        }
        (container,) = helm.render({"probes": {name: times}}).pod["spec"]["containers"]
        assert {key: value for key, value in container[f"{name}Probe"].items() if key != "httpGet"} == times


def test_a_priority_class_is_created_for_the_pods(helm: Helm) -> None:
    assert "priorityClassName" not in helm.render().pod["spec"]
    for name, expected in (("", "synth-operator"), ("platform", "platform")):
        values = {"priorityClassName": name, "priorityClass": {"create": True, "value": 7}}
        objects = helm.render(values)
        created = objects.only("PriorityClass")
        assert (created["metadata"]["name"], created["value"]) == (expected, 7)
        assert objects.pod["spec"]["priorityClassName"] == expected


def test_common_labels_are_on_every_object_and_change_no_selector(helm: Helm) -> None:
    values: dict[str, Any] = {
        "replicas": 2,
        "commonLabels": {"team": "imaging", "shared": "common"},
        "podLabels": {"shared": "pod"},
        "networkPolicy": {"enabled": True},
        "priorityClass": {"create": True},
        "metrics": {key: {"enabled": True} for key in ("podMonitor", "serviceMonitor", "alerts", "dashboard")},
    }
    objects = helm.render(values)
    assert [each["kind"] for each in objects if each["metadata"]["labels"].get("team") != "imaging"] == []
    assert objects.pod["metadata"]["labels"]["team"] == "imaging"
    assert objects.pod["metadata"]["labels"]["shared"] == "pod"
    selector = objects.only("Deployment")["spec"]["selector"]
    assert selector == helm.render().only("Deployment")["spec"]["selector"]
    assert set(selector["matchLabels"]) == {f"app.kubernetes.io/{key}" for key in SELECTOR}
    assert selector["matchLabels"].items() <= objects.pod["metadata"]["labels"].items()


REPOSITORIES = [
    ("localhost/synth-operator", "mirror.example/synth-operator"),
    ("registry.example/lab/synth-operator", "mirror.example/lab/synth-operator"),
    ("registry:5000/synth-operator", "mirror.example/synth-operator"),
    ("lab/synth-operator", "mirror.example/lab/synth-operator"),
    ("synth-operator", "mirror.example/synth-operator"),
]


@pytest.mark.parametrize(("repository", "mirrored"), REPOSITORIES)
def test_the_global_registry_replaces_that_of_both_images(helm: Helm, repository: str, mirrored: str) -> None:
    values = {
        "global": {"imageRegistry": "mirror.example"},
        "image": {"repository": repository, "tag": "9"},
        "renderer": {"image": {"repository": repository, "digest": DIGEST}},
    }
    objects = helm.render(values)
    found = objects.configuration
    assert (found.operator_image, found.renderer_image) == (f"{mirrored}:9", f"{mirrored}@{DIGEST}")
    assert objects.pod["spec"]["containers"][0]["image"] == found.operator_image


def test_a_registry_may_have_a_path(helm: Helm) -> None:
    found = helm.render({"global": {"imageRegistry": "mirror.example/cache"}}).configuration
    assert found.operator_image == "mirror.example/cache/synth-operator:0.1.0"


def test_a_release_may_be_called_like_a_number(helm: Helm) -> None:
    text = helm.run(
        "template", "42", str(ROOT / "charts/synth-operator"), "--set=fullnameOverride=lab", "--kube-version=1.35.4"
    )
    assert 'app.kubernetes.io/instance: "42"' in text
    assert "app.kubernetes.io/instance: 42" not in text
