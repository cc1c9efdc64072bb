from typing import Any

import pytest
from simulated_cluster.world import NAME, World

from synth_api.jobs.messages import JobKind
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource


def everything_rendered_once(world: World) -> None:
    keys = world.keys()
    assert world.store.committed == [key for key in keys if key not in world.store.impossible | world.store.deadly]
    assert all(world.store.rendered[key] == 1 for key in world.store.committed)


def test_a_sweep_completes() -> None:
    world = World(runs=12)

    world.until_ended()

    status = world.status
    assert status.phase is Phase.COMPLETE
    assert (status.runs.total, status.runs.succeeded, status.runs.cached, status.runs.failed) == (12, 12, 0, 0)
    assert status.progress == "100%"
    assert status.dataset == "s3://bucket/sweeps/lab/beads/dataset.json"
    everything_rendered_once(world)


def test_only_the_sweep_and_its_events_remain_after_completion() -> None:
    world = World()

    world.until_ended()

    left = {kind for kind, _ in world.api.objects}
    assert left == {Resource.SWEEPS, Resource.RECIPES, Resource.EVENTS}


def test_each_event_is_one_sentence_and_appears_once() -> None:
    world = World(runs=12)

    world.until_ended()

    assert world.events == [
        "Planning: Planning 12 runs.",
        "Planned: Planned 12 runs: 0 exist, 12 to render in 6 batches.",
        "Rendering: Rendering 12 runs with at most 3 pods at a time.",
        "Finalizing: All runs are rendered or recorded as failed; committing the dataset.",
        "Complete: 12 runs exist: 12 new. Dataset: s3://bucket/sweeps/lab/beads/dataset.json",
    ]


def test_existing_runs_are_not_rendered_again() -> None:
    world = World(runs=12)
    world.store.runs = {f"1/{value}" for value in range(8)}

    world.until_ended()

    assert (world.status.runs.cached, world.status.runs.succeeded) == (8, 4)
    assert sum(world.store.rendered.values()) == 4


def test_a_sweep_whose_runs_all_exist_renders_none() -> None:
    world = World(runs=12)
    world.store.runs = {f"1/{value}" for value in range(12)}
    world.until_phase(Phase.FINALIZING)

    assert not world.jobs()
    world.until_ended()
    assert world.status.runs.cached == 12


def test_shards_are_rendered_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth_api.jobs.batches.SHARD_BATCHES", 3)
    world = World(runs=30)

    world.until_ended()

    made = [write for write in world.api.writes if write.startswith("create jobs") and "-r" in write]
    assert [write[-2:] for write in made] == ["r0", "r1", "r2", "r3", "r4"]
    assert world.status.runs.succeeded == 30
    everything_rendered_once(world)


def test_failed_runs_are_listed_and_fail_the_sweep() -> None:
    world = World(runs=12)
    world.store.impossible = {"1/3"}

    world.until_phase(Phase.FAILED)

    status = world.status
    assert [failure.run for failure in status.failures] == [3]
    assert world.ready.startswith("TooManyFailedRuns: 1 run of 12 failed; maxFailedRuns allows 0.")


def test_a_sweep_completes_with_as_many_failed_runs_as_allowed() -> None:
    world = World(runs=12, maxFailedRuns="25%")
    world.store.impossible = {"1/0", "1/7", "1/11"}

    world.until_ended()

    assert world.status.phase is Phase.COMPLETE
    assert world.status.runs.failed == 3
    assert world.status.runs.succeeded == 9
    assert {failure.run for failure in world.status.failures} == {0, 7, 11}
    everything_rendered_once(world)


def test_a_failed_sweep_commits_its_succeeded_runs() -> None:
    world = World(runs=12, parallelism=1)
    world.store.impossible = {"1/3"}

    world.until_phase(Phase.FAILED)

    assert world.store.committed
    assert set(world.store.committed) == world.store.runs
    assert len(world.store.runs) < 11, "rendering stopped"


def test_a_run_that_kills_its_worker_fails_alone() -> None:
    world = World(runs=12, maxFailedRuns=1)
    world.store.deadly = {"1/4"}

    world.until_ended()

    assert world.status.phase is Phase.COMPLETE
    assert [(failure.run, failure.reason) for failure in world.status.failures] == [(4, "WorkerDied")]
    everything_rendered_once(world)


def test_another_retry_token_renders_failed_runs_again() -> None:
    world = World(runs=12, maxFailedRuns=3)
    world.store.impossible = {"1/0", "1/7", "1/11"}
    world.until_ended()

    world.store.impossible = set()
    world.edit(retryToken="again", maxFailedRuns=3)
    world.until(lambda world: world.status.attempt is not None and world.status.attempt.retry_token == "again")
    world.until_ended()

    assert (world.status.runs.cached, world.status.runs.succeeded, world.status.runs.failed) == (9, 3, 0)


def test_added_runs_are_rendered_and_the_others_cached() -> None:
    world = World(runs=12)
    world.until_ended()

    world.edit(axes=[{"path": "seed", "values": list(range(20))}])
    world.until(lambda world: world.status.runs.total == 20)
    world.until_ended()

    assert (world.status.runs.cached, world.status.runs.succeeded) == (12, 8)
    everything_rendered_once(world)


@pytest.mark.parametrize("seconds", [1, 3, 6, 9, 12])
def test_new_axes_supersede_an_unfinished_sweep(seconds: int) -> None:
    world = World(runs=24)
    world.seconds(seconds)

    world.edit(axes=[{"path": "seed", "values": list(range(20, 40))}])
    world.until(lambda world: world.status.runs.total == 20)
    world.until_ended()

    everything_rendered_once(world)
    assert len(world.store.committed or []) == 20


@pytest.mark.parametrize("seconds", [1, 4, 7, 10])
def test_another_recipe_supersedes_an_unfinished_sweep(seconds: int) -> None:
    world = World(runs=24)
    world.seconds(seconds)

    world.apply_recipe(2)
    world.until_ended()

    assert world.store.committed == [f"2/{value}" for value in range(24)]


def test_another_recipe_leaves_a_complete_sweep_unchanged_with_a_notice() -> None:
    world = World()
    world.until_ended()

    world.apply_recipe(2)
    world.seconds(5)
    assert world.status.phase is Phase.COMPLETE
    assert "RecipeDrifted: 12 runs exist: 12 new." in world.ready
    assert "The recipe has changed since; set another spec.retryToken to render again." in world.ready
    world.edit(retryToken="new recipe")
    world.until(lambda world: world.status.completion_time is None)
    world.until_ended()
    assert world.store.committed == [f"2/{value}" for value in range(12)]


def test_a_drifted_recipe_that_comes_back_is_no_drift() -> None:
    world = World()
    world.until_ended()
    before = world.ready

    world.apply_recipe(2)
    world.seconds(3)
    world.apply_recipe(1)
    world.seconds(3)

    assert world.ready == before


def test_suspending_keeps_finished_runs_and_resuming_renders_the_rest() -> None:
    world = World(runs=24)
    world.until(lambda world: world.status.runs.succeeded >= 6)

    world.edit(suspend=True)
    world.until_phase(Phase.SUSPENDED)
    world.seconds(60)
    assert not [pod for pod in world.api.all(Resource.PODS) if pod["status"]["phase"] == "Running"]
    finished = world.status.runs.succeeded
    assert finished >= 6
    world.edit(suspend=False)
    world.until_ended()

    everything_rendered_once(world)
    assert [event.split(":")[0] for event in world.events].count("Resumed") == 1


def test_a_sweep_created_suspended_starts_when_resumed() -> None:
    world = World(suspend=True)
    world.seconds(60)
    assert world.status.phase is Phase.SUSPENDED
    assert not world.api.all(Resource.JOBS)

    world.edit(suspend=False)
    world.until_ended()

    everything_rendered_once(world)


def test_parallelism_changes_in_place() -> None:
    world = World(runs=40, parallelism=2)
    world.until_phase(Phase.RENDERING)
    (job,) = world.jobs()

    world.edit(parallelism=5)
    world.until(lambda world: world.jobs()[0]["spec"]["parallelism"] == 5)
    world.edit(parallelism=1)
    world.until(lambda world: world.jobs()[0]["spec"]["parallelism"] == 1)

    assert world.jobs()[0]["metadata"]["uid"] == job["metadata"]["uid"]
    world.until_ended()
    everything_rendered_once(world)


@pytest.mark.parametrize(
    "change",
    [
        {"image": "lab/other:2"},
        {"retriesPerRun": 5},
        {"podTemplate": {"spec": {"priorityClassName": "high"}}},
        {"resources": {"requests": {"cpu": "1"}}},
        {"gpu": {"count": 2}},
    ],
)
def test_an_immutable_change_replaces_the_job_and_keeps_the_plan(change: dict[str, Any]) -> None:
    world = World(runs=24)
    world.until(lambda world: world.status.runs.succeeded >= 4)
    attempt = world.status.attempt

    world.edit(**change)
    world.until_ended()

    assert attempt
    assert world.status.attempt
    assert world.status.attempt.hash == attempt.hash
    assert len([write for write in world.api.writes if write.startswith("create jobs") and write[-2:] == "r0"]) == 2
    everything_rendered_once(world)


def test_an_upgrade_of_the_operator_keeps_running_jobs() -> None:
    world = World(runs=24)
    world.until(lambda world: world.status.runs.succeeded >= 4)

    world.rules = world.rules.model_copy(update={"renderer_image": "lab/new:2", "operator_image": "lab/newer:2"})
    world.restart()
    world.until_ended()

    assert len([write for write in world.api.writes if write.startswith("create jobs") and write[-2:] == "r0"]) == 1
    everything_rendered_once(world)


def test_runs_deleted_during_the_attempt_are_planned_again() -> None:
    world = World(runs=12)
    world.until_phase(Phase.FINALIZING)

    world.store.runs.discard("1/5")
    world.until_ended()

    assert world.status.phase is Phase.COMPLETE
    assert "PlanStale: 1 run counted as done but missing from the store; planning again." in world.events
    assert world.status.attempt
    assert world.status.attempt.stale == 1


def test_runs_that_always_disappear_fail_in_the_end() -> None:
    world = World(runs=12)
    drop = world.store.finalize

    def forgetful(task: Any) -> Any:
        world.store.runs.discard("1/5")
        return drop(task)

    world.store.finalize = forgetful  # type: ignore[method-assign]

    world.until_phase(Phase.FAILED)

    assert world.status.attempt
    assert world.status.attempt.stale == 2
    assert [(count.reason, count.runs) for count in world.status.failure_reasons] == [("BatchFailed", 1)]


def test_a_failed_sweep_tries_again_when_its_spec_changes() -> None:
    world = World(runs=12)
    world.store.impossible = {"1/3"}
    world.until_phase(Phase.FAILED)

    world.edit(maxFailedRuns=1)
    world.until(lambda world: world.status.completion_time is None)
    world.until_ended()

    assert world.status.phase is Phase.COMPLETE
    assert world.status.runs.failed == 1


def test_a_sweep_that_takes_too_long_fails_and_commits_what_exists() -> None:
    world = World(runs=40, parallelism=1, activeDeadlineSeconds=20)

    world.until_phase(Phase.FAILED)

    assert world.ready.startswith("DeadlineExceeded: Not finished within activeDeadlineSeconds, 20 s.")
    assert set(world.store.committed or []) == world.store.runs


def test_the_message_of_the_deadline_has_the_last_problem() -> None:
    world = World(activeDeadlineSeconds=60)
    world.store.up = False

    world.until_phase(Phase.FAILED)

    assert "It was waiting: The store at store:9000 does not answer." in world.ready
    assert not [write for write in world.api.writes if write.endswith("-r0")]


def test_a_queued_job_starts_when_its_queue_admits_it() -> None:
    world = World(queueName="gpus")
    world.until(lambda world: "Queued" in world.ready)
    (job,) = world.jobs()
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    world.seconds(30)
    assert job["spec"]["suspend"] is True

    world.api.edit_spec(Resource.JOBS, job["metadata"]["name"], suspend=False)
    world.until_ended()

    everything_rendered_once(world)


def test_finished_jobs_are_kept_for_their_ttl() -> None:
    world = World(ttlSecondsAfterFinished=300)
    world.until_phase(Phase.COMPLETE)
    world.seconds(120)
    assert {job["metadata"]["labels"]["synth-operator.io/job"] for job in world.api.all(Resource.JOBS)} == {
        "plan",
        "render",
        "finalize",
    }

    world.until_ended()

    assert not world.api.all(Resource.JOBS)


def test_deleting_a_sweep_keeps_its_outputs() -> None:
    world = World(runs=24)
    world.until(lambda world: world.status.runs.succeeded >= 4)

    world.delete()
    world.seconds(5)

    assert not world.exists
    assert not world.api.all(Resource.JOBS)
    assert len(world.store.runs) >= 4


@pytest.mark.parametrize("when", [0, 2, 5, 9, 100])
def test_deleting_a_sweep_with_its_outputs(when: int) -> None:
    world = World(runs=24, deletionPolicy="Delete")
    world.seconds(when)

    world.delete()
    world.until(lambda world: not world.exists)

    assert not world.store.runs
    assert not world.jobs()


def test_a_deletion_without_the_store_waits_and_names_the_force_annotation() -> None:
    world = World(deletionPolicy="Delete")
    world.until_ended()
    world.store.up = False

    world.delete()
    world.seconds(60)
    assert world.status.phase is Phase.DELETING
    assert world.ready == (
        "StoreUnreachable: The store at store:9000 does not answer. To delete the sweep and leave its outputs, "
        "annotate it with synth-operator.io/force-delete=true."
    )
    world.annotate(**{"synth-operator.io/force-delete": "true"})
    world.until(lambda world: not world.exists)

    assert world.store.runs


def test_outputs_are_deleted_once_the_store_is_back() -> None:
    world = World(deletionPolicy="Delete")
    world.until_ended()
    world.store.up = False
    world.delete()
    world.seconds(300)

    world.store.up = True
    world.until(lambda world: not world.exists)

    assert not world.store.runs
    assert not [name for kind, name in world.api.objects if kind is Resource.SWEEPS and name == NAME]


def test_only_a_sweep_with_deletion_policy_delete_has_a_finalizer() -> None:
    world = World()
    world.seconds(3)
    assert not world.api.objects[Resource.SWEEPS, NAME]["metadata"].get("finalizers")

    world.edit(deletionPolicy="Delete")
    world.seconds(3)
    assert world.api.objects[Resource.SWEEPS, NAME]["metadata"]["finalizers"] == ["synth-operator.io/delete-outputs"]
    world.edit(deletionPolicy="Retain")
    world.seconds(3)
    assert not world.api.objects[Resource.SWEEPS, NAME]["metadata"]["finalizers"]


def test_the_number_of_writes_does_not_grow_with_the_sweep() -> None:
    world = World(runs=500, batchSize=5, parallelism=1)

    world.until_ended()

    assert len(world.api.writes) <= 100
    assert world.jobs(JobKind.PLAN) == []
