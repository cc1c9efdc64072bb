"""A sweep from creation to its end: completion, failures, healing, queue, retention of Jobs."""

from typing import Any

import pytest
from simulated_cluster.checks import assert_rendered_once
from simulated_cluster.simulation import SimulatedCluster

from synth_api.jobs.messages import JobKind
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource


def test_a_sweep_completes() -> None:
    cluster = SimulatedCluster(runs=12)

    cluster.run_until_finished()

    status = cluster.status
    assert status.phase is Phase.COMPLETE
    assert (status.runs.total, status.runs.succeeded, status.runs.cached, status.runs.failed) == (12, 12, 0, 0)
    assert status.progress == "100%"
    assert status.dataset == "s3://bucket/sweeps/lab/beads/dataset.json"
    assert_rendered_once(cluster)


def test_only_the_sweep_and_its_events_remain_after_completion() -> None:
    cluster = SimulatedCluster()

    cluster.run_until_finished()

    left = {kind for kind, _ in cluster.api.objects}
    assert left == {Resource.SWEEPS, Resource.RECIPES, Resource.EVENTS}


def test_each_event_is_one_sentence_and_appears_once() -> None:
    cluster = SimulatedCluster(runs=12)

    cluster.run_until_finished()

    assert cluster.events == [
        "Planning: Planning 12 runs.",
        "Planned: Planned 12 runs: 0 exist, 12 to render in 6 batches.",
        "Rendering: Rendering 12 runs with at most 3 pods at a time.",
        "Finalizing: All runs are rendered or recorded as failed; committing the dataset.",
        "Complete: 12 runs exist: 12 new. Dataset: s3://bucket/sweeps/lab/beads/dataset.json",
    ]


def test_existing_runs_are_not_rendered_again() -> None:
    cluster = SimulatedCluster(runs=12)
    cluster.store.runs = {f"1/{value}" for value in range(8)}

    cluster.run_until_finished()

    assert (cluster.status.runs.cached, cluster.status.runs.succeeded) == (8, 4)
    assert sum(cluster.store.rendered.values()) == 4


def test_a_sweep_whose_runs_all_exist_renders_none() -> None:
    cluster = SimulatedCluster(runs=12)
    cluster.store.runs = {f"1/{value}" for value in range(12)}
    cluster.run_until_phase(Phase.FINALIZING)

    assert not cluster.jobs()
    cluster.run_until_finished()
    assert cluster.status.runs.cached == 12


def test_shards_are_rendered_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth_api.jobs.batches.SHARD_BATCHES", 3)
    cluster = SimulatedCluster(runs=30)

    cluster.run_until_finished()

    made = [write for write in cluster.api.writes if write.startswith("create jobs") and "-r" in write]
    assert [write[-2:] for write in made] == ["r0", "r1", "r2", "r3", "r4"]
    assert cluster.status.runs.succeeded == 30
    assert_rendered_once(cluster)


def test_failed_runs_are_listed_and_fail_the_sweep() -> None:
    cluster = SimulatedCluster(runs=12)
    cluster.store.failing = {"1/3"}

    cluster.run_until_phase(Phase.FAILED)

    status = cluster.status
    assert [failure.run for failure in status.failures] == [3]
    assert cluster.ready.startswith("TooManyFailedRuns: 1 run of 12 failed; maxFailedRuns allows 0.")


def test_a_sweep_completes_with_as_many_failed_runs_as_allowed() -> None:
    cluster = SimulatedCluster(runs=12, maxFailedRuns="25%")
    cluster.store.failing = {"1/0", "1/7", "1/11"}

    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE
    assert cluster.status.runs.failed == 3
    assert cluster.status.runs.succeeded == 9
    assert {failure.run for failure in cluster.status.failures} == {0, 7, 11}
    assert_rendered_once(cluster)


def test_a_failed_sweep_commits_its_succeeded_runs() -> None:
    cluster = SimulatedCluster(runs=12, parallelism=1)
    cluster.store.failing = {"1/3"}

    cluster.run_until_phase(Phase.FAILED)

    assert cluster.store.committed
    assert set(cluster.store.committed) == cluster.store.runs
    assert len(cluster.store.runs) < 11, "rendering stopped"


def test_a_run_that_kills_its_worker_fails_alone() -> None:
    cluster = SimulatedCluster(runs=12, maxFailedRuns=1)
    cluster.store.crashing = {"1/4"}

    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE
    assert [(failure.run, failure.reason) for failure in cluster.status.failures] == [(4, "WorkerDied")]
    assert_rendered_once(cluster)


def test_another_retry_token_renders_failed_runs_again() -> None:
    cluster = SimulatedCluster(runs=12, maxFailedRuns=3)
    cluster.store.failing = {"1/0", "1/7", "1/11"}
    cluster.run_until_finished()

    cluster.store.failing = set()
    cluster.edit(retryToken="again", maxFailedRuns=3)
    cluster.run_until(
        lambda cluster: cluster.status.attempt is not None and cluster.status.attempt.retry_token == "again"
    )
    cluster.run_until_finished()

    assert (cluster.status.runs.cached, cluster.status.runs.succeeded, cluster.status.runs.failed) == (9, 3, 0)


def test_runs_deleted_during_the_attempt_are_planned_again() -> None:
    cluster = SimulatedCluster(runs=12)
    cluster.run_until_phase(Phase.FINALIZING)

    cluster.store.runs.discard("1/5")
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE
    assert "PlanStale: 1 run counted as done but missing from the store; planning again." in cluster.events
    assert cluster.status.attempt
    assert cluster.status.attempt.stale == 1


def test_runs_that_always_disappear_fail_in_the_end() -> None:
    cluster = SimulatedCluster(runs=12)
    drop = cluster.store.finalize

    def finalize_after_loss(task: Any) -> Any:
        cluster.store.runs.discard("1/5")
        return drop(task)

    cluster.store.finalize = finalize_after_loss  # type: ignore[method-assign]

    cluster.run_until_phase(Phase.FAILED)

    assert cluster.status.attempt
    assert cluster.status.attempt.stale == 2
    assert [(count.reason, count.runs) for count in cluster.status.failure_reasons] == [("BatchFailed", 1)]


def test_a_sweep_that_takes_too_long_fails_and_commits_what_exists() -> None:
    cluster = SimulatedCluster(runs=40, parallelism=1, activeDeadlineSeconds=20)

    cluster.run_until_phase(Phase.FAILED)

    assert cluster.ready.startswith("DeadlineExceeded: Not finished within activeDeadlineSeconds, 20 s.")
    assert set(cluster.store.committed or []) == cluster.store.runs


def test_the_message_of_the_deadline_has_the_last_problem() -> None:
    cluster = SimulatedCluster(activeDeadlineSeconds=60)
    cluster.store.up = False

    cluster.run_until_phase(Phase.FAILED)

    assert "It was waiting: The store at store:9000 does not answer." in cluster.ready
    assert not [write for write in cluster.api.writes if write.endswith("-r0")]


def test_a_queued_job_starts_when_its_queue_admits_it() -> None:
    cluster = SimulatedCluster(queueName="gpus")
    cluster.run_until(lambda cluster: "Queued" in cluster.ready)
    (job,) = cluster.jobs()
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    cluster.run_for(30)
    assert job["spec"]["suspend"] is True

    cluster.api.edit_spec(Resource.JOBS, job["metadata"]["name"], suspend=False)
    cluster.run_until_finished()

    assert_rendered_once(cluster)


def test_finished_jobs_are_kept_for_their_ttl() -> None:
    cluster = SimulatedCluster(ttlSecondsAfterFinished=300)
    cluster.run_until_phase(Phase.COMPLETE)
    cluster.run_for(120)
    assert {job["metadata"]["labels"]["synth-operator.io/job"] for job in cluster.api.list_all(Resource.JOBS)} == {
        "plan",
        "render",
        "finalize",
    }

    cluster.run_until_finished()

    assert not cluster.api.list_all(Resource.JOBS)


def test_the_number_of_writes_does_not_grow_with_the_sweep() -> None:
    cluster = SimulatedCluster(runs=500, batchSize=5, parallelism=1)

    cluster.run_until_finished()

    assert len(cluster.api.writes) <= 100
    assert cluster.jobs(JobKind.PLAN) == []
