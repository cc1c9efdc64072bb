"""What a status says while no batch ends: nothing that has passed, since when, and what pods that ended reported."""

from __future__ import annotations

from simulated_cluster.nodes import list_running_pods
from simulated_cluster.simulation import SimulatedCluster

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import BatchMessage, Problem, write_message
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource

HANG = 10_000
"""Seconds that the pods of a silent store need for their first run."""


def start_and_silence() -> SimulatedCluster:
    """Return a cluster whose pods are silent after the first batches of a sweep."""
    cluster = SimulatedCluster(runs=24)
    cluster.run_until(lambda cluster: cluster.status.eta is not None)
    cluster.nodes.startup_seconds = HANG
    return cluster


def test_an_expected_end_is_never_in_the_past() -> None:
    cluster = start_and_silence()
    for _ in range(300):
        cluster.step()
        eta, forecast = cluster.status.eta, cluster.status.forecast
        assert eta is None or eta >= cluster.api.now
        assert forecast is None or forecast.end is None or forecast.end >= cluster.api.now
    assert cluster.status.phase is Phase.RENDERING
    assert cluster.status.eta is None


def test_a_silence_names_its_start_once() -> None:
    cluster = start_and_silence()
    cluster.run_for(60)
    assert "No batch" not in cluster.ready

    cluster.run_for(120)
    since = cluster.ready.partition("No batch has ended since ")[2]
    assert since.endswith(" UTC; synth logs beads shows what the pods wait for.")
    writes = len(cluster.api.writes)
    cluster.run_for(600)
    assert len(cluster.api.writes) == writes

    cluster.nodes.startup_seconds = 0
    cluster.run_until_finished()
    assert cluster.status.phase is Phase.COMPLETE


def test_what_a_pod_reported_at_its_end_counts_beside_silent_ones() -> None:
    cluster = start_and_silence()
    cluster.run_for(180)
    problem = Problem(reason=Reason.STORE_UNREACHABLE, message="the store at store:9000 does not answer")
    ended, *others = list_running_pods(cluster.api)
    assert others
    batch = int(ended["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"])
    message = write_message(BatchMessage(batch=batch, size=0, problem=problem)).decode()
    cluster.nodes.end_pod(ended, ExitCode.TRY_AGAIN, message)
    cluster.run_for(3)

    assert cluster.ready == "StoreUnreachable: The store at store:9000 does not answer."
    assert (cluster.status.phase, cluster.status.eta) == (Phase.WAITING, None)


def test_without_its_recipe_a_sweep_has_no_active_pods() -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.nodes.startup_seconds = HANG
    cluster.run_until(lambda cluster: len(list_running_pods(cluster.api)) == 3)
    list_running_pods(cluster.api)[0]["_waited"] = HANG
    cluster.run_until(lambda cluster: cluster.status.runs.active > 0)
    cluster.api.remove(Resource.RECIPES, "beads")
    cluster.run_for(60)

    assert not list_running_pods(cluster.api)
    assert cluster.ready.startswith("RecipeNotFound: ")
    assert cluster.status.runs.active == 0
