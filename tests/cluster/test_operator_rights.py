"""What the operator asks of the API server, and what its Role allows: neither is more than the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.cluster import wait_until
from harness.operator_chart import OPERATOR_NAMESPACE
from operators import NAME, WRITES, Operators
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe

from synth_api.jobs.names import SWEEP_LABEL, input_name
from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType
from synth_api.resources.synth_sweep import Phase, SweepStatus

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.sweep_namespace import SweepNamespace

OVERRIDES: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range(2)"]
MOST_WRITES: Final = 100


@pytest.fixture
def operators(cluster: Cluster) -> Operators:
    return Operators(cluster)


def reason(status: SweepStatus) -> Reason | None:
    return next((each.reason for each in status.conditions if each.type is ConditionType.READY), None)


def allowed(cluster: Cluster) -> set[tuple[str, str, str]]:
    """Group, resource and verb of every rule that the chart gives the operator."""
    lease = cluster.get_object("role", f"{NAME}-lease", OPERATOR_NAMESPACE)["rules"]
    rules = cluster.get_object("clusterrole", NAME)["rules"] + lease
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def put_in_the_way(namespace: SweepNamespace, kind: str, name: str) -> None:
    """Something of somebody else with a name that the operator wants."""
    container = {"name": "work", "image": "none"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    bodies: dict[str, dict[str, Any]] = {
        "ConfigMap": {"apiVersion": "v1"},
        "Job": {"apiVersion": "batch/v1", "spec": {"suspend": True, "template": template}},
    }
    namespace.apply({**bodies[kind], "kind": kind, "metadata": {"name": name}})


def lead_a_life(namespace: SweepNamespace) -> None:
    """A sweep that meets a taken name, is suspended, changed and deleted with its outputs."""
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("life", "spheres-sem", overrides=OVERRIDES, suspend=True, deletionPolicy="Delete")
    status = namespace.wait_for_status("life", lambda status: status.attempt is not None, "it is not looked at")
    assert status.attempt is not None
    taken = input_name("life", status.attempt.hash)
    put_in_the_way(namespace, "ConfigMap", taken)
    namespace.patch_sweep("life", suspend=False)
    namespace.wait_for_status("life", lambda status: reason(status) is Reason.NAME_TAKEN, "the taken name is not told")
    namespace.kubectl("delete", "configmap", taken)
    assert namespace.wait_for_end("life").phase is Phase.COMPLETE
    namespace.kubectl("delete", "synthsweep", "life", "--timeout=120s")


def test_calls_and_rules_are_the_same(cluster: Cluster, operators: Operators, namespace: SweepNamespace) -> None:
    before = len(list(operators.read_calls()))
    lead_a_life(namespace)
    namespace.apply_sweep("large", "spheres-sem", overrides=OVERRIDES, resources={"requests": {"cpu": "1000"}})
    namespace.wait_for_status(
        "large", lambda status: reason(status) is Reason.UNSCHEDULABLE, "the node is not too small"
    )
    namespace.patch_sweep("large", suspend=True)
    wait_until(lambda: namespace.list_jobs("large", "render")[0]["spec"]["suspend"], "the Job is not suspended")
    stopped = operators.wait_for_leader()
    cluster.kubectl("-n", OPERATOR_NAMESPACE, "delete", "pod", stopped, "--wait=false")
    operators.wait_for_new_leader(stopped, 60)  # and that one finds a sweep already begun
    # A Job in the way of the one that a suspended sweep of a queue will want again.
    namespace.apply_sweep("queued", "spheres-sem", overrides=OVERRIDES, queueName="none")
    namespace.wait_for_status(
        "queued", lambda status: reason(status) is Reason.QUEUED, "the sweep does not wait for its queue"
    )
    (wanted,) = (job["metadata"]["name"] for job in namespace.list_jobs("queued", "render"))
    namespace.patch_sweep("queued", suspend=True)
    wait_until(lambda: not namespace.list_jobs("queued", "render"), "the Job of the suspended sweep is still there")
    put_in_the_way(namespace, "Job", wanted)
    namespace.patch_sweep("queued", suspend=False)
    namespace.wait_for_status(
        "queued", lambda status: reason(status) is Reason.NAME_TAKEN, "the taken name is not told"
    )

    calls = list(operators.read_calls())
    made = {call.rule for call in calls}
    # An API server that has just come up, as in other tests, does not know the Roles yet.
    assert {call for call in calls[before:] if call.code == 403} == set()
    assert made - allowed(cluster) == set()
    assert allowed(cluster) - made == set()
    assert not {resource for _, resource, _ in made if "secret" in resource}


def test_a_sweep_costs_few_writes(operators: Operators, namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("thrifty", "spheres-sem", overrides=OVERRIDES)
    namespace.wait_for_end("thrifty")

    calls = [call for call in operators.read_calls() if call.namespace == namespace.name and call.verb in WRITES]
    recipes = [call for call in calls if call.resource == "synthrecipes/status"]
    assert len(recipes) == 1
    assert 0 < len(calls) - len(recipes) <= 25 < MOST_WRITES


def test_pods_and_jobs_of_other_applications_are_never_asked_for(
    operators: Operators, namespace: SweepNamespace
) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("asking", "spheres-sem", overrides=OVERRIDES)
    namespace.wait_for_end("asking")

    children = [call for call in operators.read_calls() if call.resource in ("jobs", "pods")]
    asked = {(call.resource, call.verb): call.selector for call in children if call.verb in ("list", "watch")}
    assert {("pods", "watch"), ("jobs", "watch"), ("jobs", "list")} <= asked.keys()
    assert {selector.split("=")[0] for selector in asked.values()} == {SWEEP_LABEL}
