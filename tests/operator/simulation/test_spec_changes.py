"""A sweep whose spec, recipe or operator changes: what is rendered again and what is kept."""

from typing import Any

import pytest
from simulated_cluster.checks import assert_rendered_once
from simulated_cluster.simulation import SimulatedCluster

from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource


def test_added_runs_are_rendered_and_the_others_cached() -> None:
    cluster = SimulatedCluster(runs=12)
    cluster.run_until_finished()

    cluster.edit(axes=[{"path": "seed", "values": list(range(20))}])
    cluster.run_until(lambda cluster: cluster.status.runs.total == 20)
    cluster.run_until_finished()

    assert (cluster.status.runs.cached, cluster.status.runs.succeeded) == (12, 8)
    assert_rendered_once(cluster)


@pytest.mark.parametrize("seconds", [1, 3, 6, 9, 12])
def test_new_axes_supersede_an_unfinished_sweep(seconds: int) -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.run_for(seconds)

    cluster.edit(axes=[{"path": "seed", "values": list(range(20, 40))}])
    cluster.run_until(lambda cluster: cluster.status.runs.total == 20)
    cluster.run_until_finished()

    assert_rendered_once(cluster)
    assert len(cluster.store.committed or []) == 20


@pytest.mark.parametrize("seconds", [1, 4, 7, 10])
def test_another_recipe_supersedes_an_unfinished_sweep(seconds: int) -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.run_for(seconds)

    cluster.apply_recipe(2)
    cluster.run_until_finished()

    assert cluster.store.committed == [f"2/{value}" for value in range(24)]


def test_another_recipe_leaves_a_complete_sweep_unchanged_with_a_notice() -> None:
    cluster = SimulatedCluster()
    cluster.run_until_finished()

    cluster.apply_recipe(2)
    cluster.run_for(5)
    assert cluster.status.phase is Phase.COMPLETE
    assert "RecipeDrifted: 12 runs exist: 12 new." in cluster.ready
    assert "The recipe has changed since; set another spec.retryToken to render again." in cluster.ready
    cluster.edit(retryToken="new recipe")
    cluster.run_until(lambda cluster: cluster.status.completion_time is None)
    cluster.run_until_finished()
    assert cluster.store.committed == [f"2/{value}" for value in range(12)]


def test_a_drifted_recipe_that_comes_back_is_no_drift() -> None:
    cluster = SimulatedCluster()
    cluster.run_until_finished()
    before = cluster.ready

    cluster.apply_recipe(2)
    cluster.run_for(3)
    cluster.apply_recipe(1)
    cluster.run_for(3)

    assert cluster.ready == before


def test_suspending_keeps_finished_runs_and_resuming_renders_the_rest() -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.run_until(lambda cluster: cluster.status.runs.succeeded >= 6)

    cluster.edit(suspend=True)
    cluster.run_until_phase(Phase.SUSPENDED)
    cluster.run_for(60)
    assert not [pod for pod in cluster.api.list_all(Resource.PODS) if pod["status"]["phase"] == "Running"]
    finished = cluster.status.runs.succeeded
    assert finished >= 6
    cluster.edit(suspend=False)
    cluster.run_until_finished()

    assert_rendered_once(cluster)
    assert [event.split(":")[0] for event in cluster.events].count("Resumed") == 1


def test_a_sweep_created_suspended_starts_when_resumed() -> None:
    cluster = SimulatedCluster(suspend=True)
    cluster.run_for(60)
    assert cluster.status.phase is Phase.SUSPENDED
    assert not cluster.api.list_all(Resource.JOBS)

    cluster.edit(suspend=False)
    cluster.run_until_finished()

    assert_rendered_once(cluster)


def test_parallelism_changes_in_place() -> None:
    cluster = SimulatedCluster(runs=40, parallelism=2)
    cluster.run_until_phase(Phase.RENDERING)
    (job,) = cluster.jobs()

    cluster.edit(parallelism=5)
    cluster.run_until(lambda cluster: cluster.jobs()[0]["spec"]["parallelism"] == 5)
    cluster.edit(parallelism=1)
    cluster.run_until(lambda cluster: cluster.jobs()[0]["spec"]["parallelism"] == 1)

    assert cluster.jobs()[0]["metadata"]["uid"] == job["metadata"]["uid"]
    cluster.run_until_finished()
    assert_rendered_once(cluster)


@pytest.mark.parametrize(
    "change",
    [
        {"image": "lab/other:2"},
        {"retriesPerRun": 5},
        {"podTemplate": {"spec": {"nodeSelector": {"pool": "beads"}}}},
        {"resources": {"requests": {"cpu": "1"}}},
        {"gpu": {"count": 2}},
    ],
)
def test_an_immutable_change_replaces_the_job_and_keeps_the_plan(change: dict[str, Any]) -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.run_until(lambda cluster: cluster.status.runs.succeeded >= 4)
    attempt = cluster.status.attempt

    cluster.edit(**change)
    cluster.run_until_finished()

    assert attempt
    assert cluster.status.attempt
    assert cluster.status.attempt.hash == attempt.hash
    assert len([write for write in cluster.api.writes if write.startswith("create jobs") and write[-2:] == "r0"]) == 2
    assert_rendered_once(cluster)


def test_an_upgrade_of_the_operator_keeps_running_jobs() -> None:
    cluster = SimulatedCluster(runs=24)
    cluster.run_until(lambda cluster: cluster.status.runs.succeeded >= 4)

    cluster.rules = cluster.rules.model_copy(update={"renderer_image": "lab/new:2", "operator_image": "lab/newer:2"})
    cluster.restart()
    cluster.run_until_finished()

    assert len([write for write in cluster.api.writes if write.startswith("create jobs") and write[-2:] == "r0"]) == 1
    assert_rendered_once(cluster)


def test_a_failed_sweep_tries_again_when_its_spec_changes() -> None:
    cluster = SimulatedCluster(runs=12)
    cluster.store.failing = {"1/3"}
    cluster.run_until_phase(Phase.FAILED)

    cluster.edit(maxFailedRuns=1)
    cluster.run_until(lambda cluster: cluster.status.completion_time is None)
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE
    assert cluster.status.runs.failed == 1
