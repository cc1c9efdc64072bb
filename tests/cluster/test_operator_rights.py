"""Calls of the operator and rules of its Role: each call is allowed, each rule is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from harness.operator_chart import OPERATOR_NAMESPACE
from operators import NAME, WRITES, Operators
from spheres import NUMBER, SEED, SMALL_PICTURE, load_recipe
from waiting import wait_until

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import DATASET_LABEL, JOB_LABEL, SWEEP_LABEL, build_input_name
from synth_api.reasons import Reason
from synth_api.resources.base import API_VERSION
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


def read_reason(status: SweepStatus) -> Reason | None:
    return next((each.reason for each in status.conditions if each.type is ConditionType.READY), None)


def read_allowed_rules(cluster: Cluster) -> set[tuple[str, str, str]]:
    """Return group, resource and verb of all rules that the chart gives the operator."""
    lease = cluster.get_object("role", f"{NAME}-lease", OPERATOR_NAMESPACE)["rules"]
    rules = cluster.get_object("clusterrole", NAME)["rules"] + lease
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def create_object(namespace: SweepNamespace, kind: str, name: str, **metadata: Any) -> None:
    """Create an object that the operator has not made, such as one with a name that it needs."""
    container = {"name": "work", "image": "none"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    bodies: dict[str, dict[str, Any]] = {
        "ConfigMap": {"apiVersion": "v1"},
        "Job": {"apiVersion": "batch/v1", "spec": {"suspend": True, "template": template}},
    }
    namespace.apply({**bodies[kind], "kind": kind, "metadata": {"name": name, **metadata}})


def run_full_life(namespace: SweepNamespace) -> None:
    """Let a sweep meet a taken name, be suspended, changed and deleted with its outputs."""
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("life", "spheres-sem", overrides=OVERRIDES, suspend=True, deletionPolicy="Delete")
    status = namespace.wait_for_status("life", lambda status: status.attempt is not None, "the sweep has no attempt")
    assert status.attempt is not None
    taken = build_input_name("life", status.attempt.hash)
    create_object(namespace, "ConfigMap", taken)
    namespace.patch_sweep("life", suspend=False)
    namespace.wait_for_status(
        "life", lambda status: read_reason(status) is Reason.NAME_TAKEN, "the reason is not NameTaken"
    )
    namespace.kubectl("delete", "configmap", taken)
    assert namespace.wait_for_end("life").phase is Phase.COMPLETE
    run_life_of_a_dataset(namespace)
    namespace.kubectl("delete", "synthsweep", "life", "--timeout=300s")


def run_life_of_a_dataset(namespace: SweepNamespace) -> None:
    """Let a dataset of the sweep be published, be given a Job that it does not need, and be deleted with its versions.

    The status of a published dataset stays as it is, so the operator reads the dataset before it deletes the Job. Where
    it writes a status first, the answer shows that it has the current version.
    """
    spec = {
        "version": "1",
        "sources": [{"sweepRef": {"name": "life"}}],
        "exports": [{"format": "coco"}],
        "deletionPolicy": "Delete",
    }
    document = {"apiVersion": API_VERSION, "kind": "SynthDataset", "metadata": {"name": "life"}, "spec": spec}
    namespace.apply(document)
    namespace.kubectl("wait", "--for=condition=Ready", "synthdataset/life", "--timeout=300s")
    uid = namespace.kubectl("get", "synthdataset", "life", "--output=jsonpath={.metadata.uid}")
    owner = {"apiVersion": API_VERSION, "kind": "SynthDataset", "name": "life", "uid": uid, "controller": True}
    labels = {DATASET_LABEL: "life", JOB_LABEL: JobKind.EXPORT.value}
    create_object(namespace, "Job", "left-over", labels=labels, ownerReferences=[owner])
    namespace.kubectl("wait", "--for=delete", "job/left-over", "--timeout=300s")
    namespace.kubectl("delete", "synthdataset", "life", "--timeout=300s")


def test_the_operators_calls_are_exactly_its_rules(
    cluster: Cluster, operators: Operators, namespace: SweepNamespace
) -> None:
    before = len(list(operators.read_calls()))
    run_full_life(namespace)
    namespace.apply_sweep("large", "spheres-sem", overrides=OVERRIDES, resources={"requests": {"cpu": "1000"}})
    namespace.wait_for_status(
        "large", lambda status: read_reason(status) is Reason.UNSCHEDULABLE, "the node is not too small"
    )
    namespace.patch_sweep("large", suspend=True)
    wait_until(lambda: namespace.list_jobs("large", "render")[0]["spec"]["suspend"], "the Job is not suspended")
    stopped = operators.wait_for_leader()
    cluster.kubectl("-n", OPERATOR_NAMESPACE, "delete", "pod", stopped, "--wait=false")
    operators.wait_for_new_leader(stopped, 60)  # the new leader finds a sweep in progress
    # A foreign Job takes the name that the resumed sweep needs again.
    namespace.apply_sweep("queued", "spheres-sem", overrides=OVERRIDES, queueName="none")
    namespace.wait_for_status(
        "queued", lambda status: read_reason(status) is Reason.QUEUED, "the sweep does not wait for its queue"
    )
    (wanted,) = (job["metadata"]["name"] for job in namespace.list_jobs("queued", "render"))
    namespace.patch_sweep("queued", suspend=True)
    wait_until(lambda: not namespace.list_jobs("queued", "render"), "the Job of the suspended sweep is still there")
    create_object(namespace, "Job", wanted)
    namespace.patch_sweep("queued", suspend=False)
    namespace.wait_for_status(
        "queued", lambda status: read_reason(status) is Reason.NAME_TAKEN, "the reason is not NameTaken"
    )

    calls = list(operators.read_calls())
    made = {call.rule for call in calls}
    # An API server that has just come up, as in other tests, does not know the Roles yet.
    assert {call for call in calls[before:] if call.code == 403} == set()
    assert made - read_allowed_rules(cluster) == set()
    assert read_allowed_rules(cluster) - made == set()
    assert not {resource for _, resource, _ in made if "secret" in resource}


def test_a_sweep_costs_few_writes(operators: Operators, namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("few-writes", "spheres-sem", overrides=OVERRIDES)
    namespace.wait_for_end("few-writes")

    calls = [call for call in operators.read_calls() if call.namespace == namespace.name and call.verb in WRITES]
    recipes = [call for call in calls if call.resource == "synthrecipes/status"]
    assert len(recipes) == 1
    assert 0 < len(calls) - len(recipes) <= 25 < MOST_WRITES


def test_only_pods_and_jobs_of_sweeps_are_requested(operators: Operators, namespace: SweepNamespace) -> None:
    namespace.apply_recipe("spheres-sem", load_recipe())
    namespace.apply_sweep("asking", "spheres-sem", overrides=OVERRIDES)
    namespace.wait_for_end("asking")

    children = [call for call in operators.read_calls() if call.resource in ("jobs", "pods")]
    selectors = {(call.resource, call.verb): call.selector for call in children if call.verb in ("list", "watch")}
    assert {("pods", "watch"), ("jobs", "watch"), ("jobs", "list")} <= selectors.keys()
    assert {selector.split("=")[0] for selector in selectors.values()} == {SWEEP_LABEL, JOB_LABEL}
