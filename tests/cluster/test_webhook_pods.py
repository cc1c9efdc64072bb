"""The validating webhook in pods of a cluster, with certificates of its own: what it refuses, and with which rights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.commands import CommandError
from harness.operator_chart import OPERATOR_NAMESPACE, install_operator
from operators import NAME, Operators
from spheres import FILE, NUMBER, load_recipe
from waiting import wait_until

from synth_api.errors import InputError
from synth_api.sweep.definition import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace

WEBHOOK: Final = f"{NAME}-webhook"
REGISTRATION: Final = f"{WEBHOOK}.{OPERATOR_NAMESPACE}"
WRONG: Final = f"{NUMBER}r=3"


@pytest.fixture
def cluster_with_webhook(cluster: Cluster) -> Iterator[Cluster]:
    """Return the cluster while two pods of the webhook are ready."""
    install_operator(cluster, "admissionWebhook.enabled=true")
    yield cluster
    install_operator(cluster)


def try_sweep(namespace: SweepNamespace, override: str) -> str:
    """Return what a dry run of a sweep says against it; empty if it passes."""
    spec = {"recipeRef": {"name": "spheres-sem"}, **namespace.small_spec, "overrides": [override]}
    body: dict[str, Any] = {"kind": "SynthSweep", "metadata": {"name": "tried"}, "spec": spec}
    text = json.dumps({"apiVersion": "synth-operator.io/v1alpha1", **body})
    try:
        namespace.kubectl("apply", "--dry-run=server", "--filename=-", stdin=text)
    except CommandError as error:
        return str(error)
    return ""


def test_a_pull_request_learns_what_is_wrong(cluster_with_webhook: Cluster, namespace: SweepNamespace) -> None:
    cluster, operators = cluster_with_webhook, Operators(cluster_with_webhook)
    with pytest.raises(InputError) as expected:
        Sweep.load(FILE, [WRONG])
    namespace.apply_recipe("spheres-sem", load_recipe())
    # The API server reads the certificates a moment after the pods are ready.
    wait_until(lambda: try_sweep(namespace, WRONG) != "", "the wrong sweep passes")

    for _ in range(10):  # both pods answer
        assert f"denied the request: The sweep is invalid: {expected.value}" in try_sweep(namespace, WRONG)
    assert try_sweep(namespace, f"{NUMBER}=3") == ""

    calls = [call for call in operators.read_calls(WEBHOOK) if call.code != 409]
    assert {call.name for call in calls} == {REGISTRATION, "spheres-sem"}
    assert {call.rule for call in calls} == {
        (group, resource, verb)
        for rule in cluster.get_object("clusterrole", REGISTRATION)["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
