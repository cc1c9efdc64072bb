"""What the operator asks of the API server, and what its Role allows: neither is more than the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.cluster import until
from harness.lab import SYSTEM
from operators import NAME, WRITES, Operators
from spheres import NUMBER, SEED, SMALL_PICTURE, recipe

from synth_api.jobs.names import SWEEP_LABEL, input_name
from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType
from synth_api.resources.synth_sweep import Phase, SweepStatus

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.lab import Lab

OVERRIDES: Final = [SMALL_PICTURE, f"{NUMBER}=2", f"{SEED}=range(2)"]
MOST_WRITES: Final = 100


@pytest.fixture
def operators(cluster: Cluster) -> Operators:
    return Operators(cluster)


def reason(status: SweepStatus) -> Reason | None:
    return next((each.reason for each in status.conditions if each.type is ConditionType.READY), None)


def allowed(cluster: Cluster) -> set[tuple[str, str, str]]:
    """Group, resource and verb of every rule that the chart gives the operator."""
    lease = cluster.get("role", f"{NAME}-lease", SYSTEM)["rules"]
    rules = cluster.get("clusterrole", NAME)["rules"] + lease
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def put_in_the_way(lab: Lab, kind: str, name: str) -> None:
    """Something of somebody else with a name that the operator wants."""
    container = {"name": "work", "image": "none"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    bodies: dict[str, dict[str, Any]] = {
        "ConfigMap": {"apiVersion": "v1"},
        "Job": {"apiVersion": "batch/v1", "spec": {"suspend": True, "template": template}},
    }
    lab.apply({**bodies[kind], "kind": kind, "metadata": {"name": name}})


def lead_a_life(lab: Lab) -> None:
    """A sweep that meets a taken name, is suspended, changed and deleted with its outputs."""
    lab.recipe("spheres-sem", recipe())
    lab.sweep("life", "spheres-sem", overrides=OVERRIDES, suspend=True, deletionPolicy="Delete")
    status = lab.until("life", lambda status: status.attempt is not None, "it is not looked at")
    assert status.attempt is not None
    taken = input_name("life", status.attempt.hash)
    put_in_the_way(lab, "ConfigMap", taken)
    lab.patch("life", suspend=False)
    lab.until("life", lambda status: reason(status) is Reason.NAME_TAKEN, "the taken name is not told")
    lab.cluster.kubectl("-n", lab.namespace, "delete", "configmap", taken)
    assert lab.finished("life").phase is Phase.COMPLETE
    lab.cluster.kubectl("-n", lab.namespace, "delete", "synthsweep", "life", "--timeout=120s")


def test_calls_and_rules_are_the_same(cluster: Cluster, operators: Operators, lab: Lab) -> None:
    before = len(list(operators.calls()))
    lead_a_life(lab)
    lab.sweep("large", "spheres-sem", overrides=OVERRIDES, resources={"requests": {"cpu": "1000"}})
    lab.until("large", lambda status: reason(status) is Reason.UNSCHEDULABLE, "the node is not too small")
    lab.patch("large", suspend=True)
    until(lambda: lab.jobs("large", "render")[0]["spec"]["suspend"], "the Job is not suspended")
    stopped = operators.settled()
    cluster.kubectl("-n", SYSTEM, "delete", "pod", stopped, "--wait=false")
    operators.new_leader(stopped, 60)  # and that one finds a sweep already begun
    # A Job in the way of the one that a suspended sweep of a queue will want again.
    lab.sweep("queued", "spheres-sem", overrides=OVERRIDES, queueName="none")
    lab.until("queued", lambda status: reason(status) is Reason.QUEUED, "the sweep does not wait for its queue")
    (wanted,) = (job["metadata"]["name"] for job in lab.jobs("queued", "render"))
    lab.patch("queued", suspend=True)
    until(lambda: not lab.jobs("queued", "render"), "the Job of the suspended sweep is still there")
    put_in_the_way(lab, "Job", wanted)
    lab.patch("queued", suspend=False)
    lab.until("queued", lambda status: reason(status) is Reason.NAME_TAKEN, "the taken name is not told")

    calls = list(operators.calls())
    made = {call.rule for call in calls}
    # An API server that has just come up, as in other tests, does not know the Roles yet.
    assert {call for call in calls[before:] if call.code == 403} == set()
    assert made - allowed(cluster) == set()
    assert allowed(cluster) - made == set()
    assert not {resource for _, resource, _ in made if "secret" in resource}


def test_a_sweep_costs_few_writes(operators: Operators, lab: Lab) -> None:
    lab.recipe("spheres-sem", recipe())
    lab.sweep("thrifty", "spheres-sem", overrides=OVERRIDES)
    lab.finished("thrifty")

    calls = [call for call in operators.calls() if call.namespace == lab.namespace and call.verb in WRITES]
    recipes = [call for call in calls if call.resource == "synthrecipes/status"]
    assert len(recipes) == 1
    assert 0 < len(calls) - len(recipes) <= 25 < MOST_WRITES


def test_pods_and_jobs_of_other_applications_are_never_asked_for(operators: Operators, lab: Lab) -> None:
    lab.recipe("spheres-sem", recipe())
    lab.sweep("asking", "spheres-sem", overrides=OVERRIDES)
    lab.finished("asking")

    children = [call for call in operators.calls() if call.resource in ("jobs", "pods")]
    asked = {(call.resource, call.verb): call.selector for call in children if call.verb in ("list", "watch")}
    assert {("pods", "watch"), ("jobs", "watch"), ("jobs", "list")} <= asked.keys()
    assert {selector.split("=")[0] for selector in asked.values()} == {SWEEP_LABEL}
