"""A sweep that is deleted, with and without its outputs."""

import json

import pytest
from simulated_cluster.api import NAMESPACE
from simulated_cluster.simulation import NAME, RULES, SimulatedCluster

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import INPUT_ANNOTATION
from synth_api.resources.default_output import DefaultOutput
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import ApiError, Resource


def test_deleting_a_sweep_keeps_its_outputs() -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.run_until(lambda cluster: cluster.status.runs.succeeded >= 4)

    cluster.delete()
    cluster.run_for(5)

    assert not cluster.exists
    assert not cluster.api.list_all(Resource.JOBS)
    assert len(cluster.store.runs) >= 4


@pytest.mark.parametrize("when", [0, 2, 5, 9, 100])
def test_deleting_a_sweep_with_its_outputs(when: int) -> None:
    cluster = SimulatedCluster(runs=24, deletionPolicy="Delete")
    cluster.run_for(when)

    cluster.delete()
    cluster.run_until(lambda cluster: not cluster.exists)

    assert not cluster.store.runs
    assert not cluster.jobs()


def test_the_outputs_of_a_default_output_are_those_of_the_namespace() -> None:
    rules = RULES.model_copy(update={"output": DefaultOutput(endpoint="store:9000", bucket="bucket", prefix="team")})
    cluster = SimulatedCluster(deletionPolicy="Delete", output=None, rules=rules)
    cluster.run_until_finished()
    cluster.delete()
    cluster.run_until(lambda cluster: bool(cluster.jobs(JobKind.DELETE)))

    (job,) = cluster.jobs(JobKind.DELETE)
    given = json.loads(job["spec"]["template"]["metadata"]["annotations"][INPUT_ANNOTATION])
    assert given["output"]["prefix"] == f"team/{NAMESPACE}"


def test_a_deletion_without_the_store_waits_and_names_the_force_annotation() -> None:
    cluster = SimulatedCluster(deletionPolicy="Delete")
    cluster.run_until_finished()
    cluster.store.up = False

    cluster.delete()
    cluster.run_for(60)
    assert cluster.status.phase is Phase.DELETING
    assert cluster.ready == (
        "StoreUnreachable: The store at store:9000 does not answer. To delete the sweep and leave its outputs, "
        "annotate it with synth-operator.io/force-delete=true."
    )
    cluster.annotate(**{"synth-operator.io/force-delete": "true"})
    cluster.run_until(lambda cluster: not cluster.exists)

    assert cluster.store.runs


def test_in_a_namespace_that_ends_a_deletion_leaves_the_outputs_and_says_which() -> None:
    cluster = SimulatedCluster(deletionPolicy="Delete")
    cluster.run_until_finished()
    text = "unable to create new content in namespace lab because it is being terminated"
    ends = ApiError(403, "Forbidden", text, ("NamespaceTerminating",))
    cluster.api.refuse = lambda resource, _: ends if resource in (Resource.JOBS, Resource.INPUTS) else None

    cluster.delete()
    cluster.run_for(5)

    assert not cluster.exists
    assert cluster.store.runs
    event = cluster.api.list_all(Resource.EVENTS)[-1]
    assert event["involvedObject"] == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "namespace": "synth",
        "name": "synth-operator",
    }
    assert (event["reason"], event["message"]) == (
        "OutputsKept",
        "The namespace 'lab' is being deleted, where no Job can be created any more: the outputs of its sweep 'beads' "
        "stay in s3://bucket, sweeps/lab/beads.",
    )


def test_outputs_are_deleted_once_the_store_is_back() -> None:
    cluster = SimulatedCluster(deletionPolicy="Delete")
    cluster.run_until_finished()
    cluster.store.up = False
    cluster.delete()
    cluster.run_for(300)

    cluster.store.up = True
    cluster.run_until(lambda cluster: not cluster.exists)

    assert not cluster.store.runs
    assert not [name for kind, name in cluster.api.objects if kind is Resource.SWEEPS and name == NAME]


def test_only_a_sweep_with_deletion_policy_delete_has_a_finalizer() -> None:
    cluster = SimulatedCluster()
    cluster.run_for(3)
    assert not cluster.api.objects[Resource.SWEEPS, NAME]["metadata"].get("finalizers")

    cluster.edit(deletionPolicy="Delete")
    cluster.run_for(3)
    assert cluster.api.objects[Resource.SWEEPS, NAME]["metadata"]["finalizers"] == ["synth-operator.io/delete-outputs"]
    cluster.edit(deletionPolicy="Retain")
    cluster.run_for(3)
    assert not cluster.api.objects[Resource.SWEEPS, NAME]["metadata"]["finalizers"]
