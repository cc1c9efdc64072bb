"""What the system tells in logs, status, events, metrics and manifests: enough to follow a sweep, and no secret."""

from __future__ import annotations

import json
from base64 import b64encode
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.lab import BUCKET, SYSTEM, Lab
from servers import ACCESS_KEY, SECRET_KEY
from spheres import NUMBER, SMALL_PICTURE, recipe

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import ready_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.lab import Store

WRONG_KEY: Final = "yesterdays-secret-key"
SECRETS: Final = (SECRET_KEY, WRONG_KEY)
OPERATOR_PODS: Final = "app.kubernetes.io/name=synth-operator,app.kubernetes.io/component=operator"
OBJECTS: Final = "synthsweeps,synthrecipes,jobs,pods,configmaps,events"


@pytest.fixture(scope="module")
def lab(cluster: Cluster, store: Store) -> Lab:
    """With a sweep that is complete and one whose credentials are wrong; their pods are still there."""
    lab = Lab(cluster, store, f"told-{token_hex(3)}")
    lab.open()
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": WRONG_KEY}
    lab.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "wrong"}, "stringData": keys})
    lab.recipe("spheres-sem", recipe())
    shared: dict[str, Any] = {"overrides": [SMALL_PICTURE, f"{NUMBER}=2"], "ttlSecondsAfterFinished": 600}
    lab.sweep("denied", "spheres-sem", **shared, output={**lab.output, "secretRef": {"name": "wrong"}})
    lab.sweep("complete", "spheres-sem", **shared)
    assert lab.finished("complete").phase is Phase.COMPLETE
    lab.until("denied", lambda status: ready_reason(status) is Reason.ACCESS_DENIED, "it was let in")
    return lab


def test_no_secret_is_told_anywhere(lab: Lab) -> None:
    told = dict(everything_told(lab))

    assert "succeeded" in "".join(text for name, text in told.items() if name.startswith("log of complete"))
    assert {name.split("/")[1] for name in told if name.startswith("store")} == {"manifests", "runs", "sweeps"}
    hidden = {*SECRETS, *(b64encode(word.encode()).decode() for word in SECRETS)}
    assert {name for name, text in told.items() for word in hidden if word in text} == set()


def test_the_operators_log_follows_a_sweep_line_by_line(lab: Lab) -> None:
    text = "".join(text for name, text in everything_logged(lab.cluster, SYSTEM, OPERATOR_PODS))
    lines = [json.loads(line) for line in text.splitlines()]
    about = [line for line in lines if (line.get("namespace"), line.get("sweep")) == (lab.namespace, "complete")]

    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert [line["reason"] for line in about] == ["Planning", "Planned", "Rendering", "Finalizing", "Complete"]
    assert {line["plan"] for line in about} == {lab.status("complete").plan[:8]}
    (denied,) = (line for line in lines if line.get("sweep") == "denied" and line["level"] == "WARNING")
    assert denied["message"].startswith(f"The store at {lab.store.endpoint} denies access to bucket '{BUCKET}'")


def everything_told(lab: Lab) -> Iterator[tuple[str, str]]:
    """Name of a place and the text in it, the Secrets themselves left out."""
    yield "objects", lab.cluster.kubectl("-n", lab.namespace, "get", OBJECTS, "-o=yaml", "--show-managed-fields")
    yield "operator", lab.cluster.kubectl("-n", SYSTEM, "get", "deployments,pods,configmaps,events", "-o=yaml")
    yield from everything_logged(lab.cluster, lab.namespace, "")
    yield from everything_logged(lab.cluster, SYSTEM, OPERATOR_PODS)
    for pod in names(lab.cluster, SYSTEM, OPERATOR_PODS):
        path = f"/api/v1/namespaces/{SYSTEM}/pods/{pod}:8080/proxy/metrics"
        yield f"metrics of {pod}", lab.cluster.kubectl("get", "--raw", path)
    for each in lab.store.client.list_objects(BUCKET, f"{lab.namespace}/", recursive=True):
        content = lab.store.client.get_object(BUCKET, str(each.object_name)).read()
        yield f"store {each.object_name}", content.decode(errors="replace")


def everything_logged(cluster: Cluster, namespace: str, selector: str) -> Iterator[tuple[str, str]]:
    for pod in names(cluster, namespace, selector):
        yield f"log of {pod}", cluster.kubectl("-n", namespace, "logs", pod)


def names(cluster: Cluster, namespace: str, selector: str) -> list[str]:
    return [pod["metadata"]["name"] for pod in cluster.get("pods", namespace=namespace, selector=selector)["items"]]
