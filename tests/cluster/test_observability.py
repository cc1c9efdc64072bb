"""Logs, status, events, metrics and manifests: they follow a sweep and hold no credential."""

from __future__ import annotations

import json
from base64 import b64encode
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.node_store import BUCKET
from harness.operator_chart import OPERATOR_NAMESPACE
from harness.sweep_namespace import SweepNamespace
from servers import ACCESS_KEY, SECRET_KEY
from spheres import NUMBER, SMALL_PICTURE, load_recipe

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.node_store import NodeStore

WRONG_KEY: Final = "yesterdays-secret-key"
SECRETS: Final = (SECRET_KEY, WRONG_KEY)
OPERATOR_PODS: Final = "app.kubernetes.io/name=synth-operator,app.kubernetes.io/component=operator"
OBJECTS: Final = "synthsweeps,synthrecipes,jobs,pods,configmaps,events"


@pytest.fixture(scope="module")
def namespace(cluster: Cluster, store: NodeStore) -> SweepNamespace:
    """A namespace with a complete sweep and one whose credentials are wrong; their pods still exist."""
    created = SweepNamespace(cluster, store, f"observed-{token_hex(3)}")
    created.create()
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": WRONG_KEY}
    created.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "wrong"}, "stringData": keys})
    created.apply_recipe("spheres-sem", load_recipe())
    shared: dict[str, Any] = {"overrides": [SMALL_PICTURE, f"{NUMBER}=2"], "ttlSecondsAfterFinished": 600}
    created.apply_sweep("denied", "spheres-sem", **shared, output={**created.output, "secretRef": {"name": "wrong"}})
    created.apply_sweep("complete", "spheres-sem", **shared)
    assert created.wait_for_end("complete").phase is Phase.COMPLETE
    created.wait_for_status("denied", lambda status: find_ready_reason(status) is Reason.ACCESS_DENIED, "it was let in")
    return created


def test_no_text_holds_a_credential(namespace: SweepNamespace) -> None:
    texts = dict(read_all_texts(namespace))

    assert "succeeded" in "".join(text for name, text in texts.items() if name.startswith("log of complete"))
    folders = {name.split("/")[1] for name in texts if name.startswith("store")}
    assert folders == {"manifests", "recipes", "runs", "sweeps"}
    hidden = {*SECRETS, *(b64encode(word.encode()).decode() for word in SECRETS)}
    assert {name for name, text in texts.items() for word in hidden if word in text} == set()


def test_the_operators_log_has_a_line_for_each_step_of_a_sweep(namespace: SweepNamespace) -> None:
    text = "".join(text for name, text in read_logs(namespace.cluster, OPERATOR_NAMESPACE, OPERATOR_PODS))
    lines = [json.loads(line) for line in text.splitlines()]
    about = [line for line in lines if (line.get("namespace"), line.get("sweep")) == (namespace.name, "complete")]

    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert [line["reason"] for line in about] == ["Planning", "Planned", "Rendering", "Finalizing", "Complete"]
    assert {line["plan"] for line in about} == {namespace.read_status("complete").plan[:8]}
    (denied,) = (line for line in lines if line.get("sweep") == "denied" and line["level"] == "WARNING")
    assert denied["message"].startswith(f"The store at {namespace.store.endpoint} denies access to bucket '{BUCKET}'")


def read_all_texts(namespace: SweepNamespace) -> Iterator[tuple[str, str]]:
    """Yield source and text of everything but the Secrets."""
    yield (
        "objects",
        namespace.kubectl("get", OBJECTS, "-o=yaml", "--show-managed-fields"),
    )
    yield (
        "operator",
        namespace.cluster.kubectl("-n", OPERATOR_NAMESPACE, "get", "deployments,pods,configmaps,events", "-o=yaml"),
    )
    yield from read_logs(namespace.cluster, namespace.name, "")
    yield from read_logs(namespace.cluster, OPERATOR_NAMESPACE, OPERATOR_PODS)
    for pod in list_pod_names(namespace.cluster, OPERATOR_NAMESPACE, OPERATOR_PODS):
        path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/pods/{pod}:8080/proxy/metrics"
        yield f"metrics of {pod}", namespace.cluster.kubectl("get", "--raw", path)
    for each in namespace.store.client.list_objects(BUCKET, f"{namespace.name}/", recursive=True):
        content = namespace.store.client.get_object(BUCKET, str(each.object_name)).read()
        yield f"store {each.object_name}", content.decode(errors="replace")


def read_logs(cluster: Cluster, namespace: str, selector: str) -> Iterator[tuple[str, str]]:
    for pod in list_pod_names(cluster, namespace, selector):
        yield f"log of {pod}", cluster.kubectl("-n", namespace, "logs", pod)


def list_pod_names(cluster: Cluster, namespace: str, selector: str) -> list[str]:
    """Return the names of the pods that have a log: the denied sweep is tried again, so a pod may be about to start."""
    pods = cluster.get_object("pods", namespace=namespace, selector=selector)["items"]
    return [pod["metadata"]["name"] for pod in pods if pod["status"]["phase"] != "Pending"]
