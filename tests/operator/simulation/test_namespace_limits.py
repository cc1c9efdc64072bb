"""Limits of a namespace: what is over waits as Limited, in order of age, and every sweep completes."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from simulated_cluster.fleet import SimulatedFleet

from synth_api.resources.synth_dataset import DatasetPhase
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource

SWEEPS = "Limited: The limit of this namespace, 2 sweeps at work, is reached; sweeps go on in order of age."


def test_sweeps_over_the_limit_wait_and_start_in_order_of_age() -> None:
    fleet = SimulatedFleet(6, sweeps=2)

    waiting = fleet.list_by_reason("Limited")
    assert waiting == ["a2", "a3", "a4", "a5"]
    assert {fleet.read_ready(name) for name in waiting} == {SWEEPS}
    assert {fleet.read_status(name).phase for name in waiting} == {Phase.WAITING}
    assert all(fleet.read_status(name).waiting_since for name in waiting)
    fleet.run_until_all_complete()
    assert fleet.started[2:] == waiting


def test_waiting_costs_one_write_and_one_event() -> None:
    fleet = SimulatedFleet(2, runs=300, sweeps=1)
    fleet.run_for(10)
    before = fleet.count_status_writes("a1")

    fleet.run_for(60)

    assert fleet.read_ready("a1").startswith("Limited")
    assert before <= 2
    assert fleet.count_status_writes("a1") == before
    assert [event for event in fleet.events if event.startswith("Limited")] == [
        "Limited: The limit of this namespace, 1 sweep at work, is reached; sweeps go on in order of age."
    ]


def test_a_sweep_of_more_pods_runs_with_those_of_the_limit() -> None:
    fleet = SimulatedFleet(0, pods=4)
    name = fleet.create(parallelism=16, runs=40)

    fleet.run_until(lambda _: len(fleet.list_pods(name)) == 4)

    assert fleet.read_ready(name) == (
        "Rendering: Rendering 40 runs with at most 16 pods at a time, fewer while the namespace is at its limit."
    )
    fleet.run_until_all_complete()


def test_two_sweeps_share_the_pods_in_order_of_age() -> None:
    fleet = SimulatedFleet(0, pods=4)
    old = fleet.create(parallelism=3, runs=30)
    young = fleet.create(parallelism=3, runs=30)

    fleet.run_until(lambda _: len(fleet.list_pods(old)) == 3 and len(fleet.list_pods(young)) == 1)
    fleet.run_until(lambda _: fleet.read_status(old).phase is Phase.COMPLETE)
    fleet.run_until(lambda _: len(fleet.list_pods(young)) == 3)

    fleet.run_until_all_complete()


def test_the_tail_of_a_sweep_costs_no_writes_of_its_job() -> None:
    fleet = SimulatedFleet(0, pods=4)
    fleet.create(parallelism=16, runs=20)

    fleet.run_until_all_complete()

    assert len([write for write in fleet.api.writes if write.startswith("patch jobs")]) <= 1


def test_gpus_at_once_are_those_of_all_render_pods() -> None:
    fleet = SimulatedFleet(0, gpus=4)
    for count in (2, 2, 3):
        fleet.create(parallelism=2, runs=6, gpu={"count": count})

    fleet.run_until_all_complete()

    assert fleet.started == ["a0", "a1", "a2"]


def test_gpus_of_the_pod_template_count_too() -> None:
    fleet = SimulatedFleet(0, gpus=2)
    fleet.create(resources={"limits": {"example.com/gpu": "3"}})

    fleet.run_for(3)

    assert fleet.read_ready("a0") == (
        "Limited: A pod of the sweep needs 3 GPUs; the limit of this namespace is 2 GPUs at once."
    )


def test_a_sweep_of_too_many_runs_waits_and_holds_up_no_other() -> None:
    fleet = SimulatedFleet(0, sweeps=1, runs_per_sweep=10)
    large = fleet.create(runs=11)
    fleet.create(runs=10)

    fleet.run_until(lambda _: fleet.read_status("a1").phase is Phase.COMPLETE)

    assert fleet.read_ready(large) == (
        "Limited: The sweep has 11 runs; the limit of this namespace is 10 runs per sweep."
    )
    assert not fleet.api.find(Resource.JOBS, "lab", labels=f"synth-operator.io/sweep={large}")
    fleet.api.edit_spec(Resource.SWEEPS, large, axes=[{"path": "seed", "values": list(range(10))}])
    fleet.run_until_all_complete()


def test_no_sweep_starts_in_a_closed_namespace() -> None:
    fleet = SimulatedFleet(1, sweeps=0)

    fleet.run_for(5)

    assert fleet.read_ready("a0") == (
        "Limited: The sweep cannot start; the limit of this namespace is 0 sweeps at work."
    )


@pytest.mark.parametrize("way", ["suspend", "delete"])
def test_a_sweep_that_is_suspended_or_deleted_gives_its_place_to_the_oldest_that_waits(way: str) -> None:
    fleet = SimulatedFleet(3, runs=100, sweeps=1)
    fleet.run_until(lambda _: bool(fleet.list_pods("a0")))

    if way == "suspend":
        fleet.api.edit_spec(Resource.SWEEPS, "a0", suspend=True)
    else:
        fleet.api.remove(Resource.SWEEPS, "a0")
    fleet.run_until(lambda _: bool(fleet.list_pods("a1")), seconds=120)

    assert fleet.read_ready("a2").startswith("Limited")


def test_a_resumed_sweep_waits_for_a_place() -> None:
    fleet = SimulatedFleet(2, runs=100, sweeps=1)
    fleet.run_until(lambda _: bool(fleet.list_pods("a0")))
    fleet.api.edit_spec(Resource.SWEEPS, "a0", suspend=True)
    fleet.run_until(lambda _: bool(fleet.list_pods("a1")))

    fleet.api.edit_spec(Resource.SWEEPS, "a0", suspend=False)
    fleet.run_for(10)

    assert fleet.read_ready("a0").startswith("Limited")
    fleet.run_until_all_complete()


def test_the_deadline_of_a_sweep_begins_when_it_may_go_on() -> None:
    fleet = SimulatedFleet(1, runs=200, sweeps=1)
    fleet.create(activeDeadlineSeconds=60, runs=6)

    fleet.run_until_all_complete()

    assert fleet.read_status("a1").phase is Phase.COMPLETE


def test_a_sweep_in_a_queue_of_kueue_has_no_limits() -> None:
    fleet = SimulatedFleet(1, runs=100, sweeps=1, runs_per_sweep=200)
    queued = fleet.create(queueName="lab", runs=300)

    fleet.run_until(lambda _: fleet.read_ready(queued) == "Queued: Waiting in the queue 'lab'.")

    assert fleet.read_status("a0").phase is Phase.RENDERING


def test_a_failed_sweep_that_is_tried_again_waits_for_a_place() -> None:
    fleet = SimulatedFleet(0, sweeps=1)
    failed = fleet.create(runs=2)
    fleet.store.failing = {"1/a0/0"}
    fleet.run_until(lambda _: fleet.read_status(failed).phase is Phase.FAILED)
    fleet.create(runs=100)
    fleet.run_until(lambda _: bool(fleet.list_pods("a1")))

    fleet.store.failing = set()
    fleet.api.edit_spec(Resource.SWEEPS, failed, retryToken="again")
    fleet.run_for(5)

    assert fleet.read_ready(failed).startswith("Limited")
    fleet.run_until_all_complete()


SPENT = "Limited: The limit of this namespace, 0.01 GPU hours per day, is spent; the sweep goes on at {day} 00:00 UTC."
DAYS = 86_400


def spend() -> SimulatedFleet:
    """Let a sweep spend the GPU hours of the day, 36 GPU seconds."""
    fleet = SimulatedFleet(0, gpu_hours_per_day=0.01)
    fleet.create(runs=40, gpu={"count": 2}, parallelism=2)
    fleet.run_until(lambda _: fleet.read_ready("a0") == SPENT.format(day="2026-05-02"))
    return fleet


def test_running_batches_end_when_the_gpu_hours_are_spent_and_no_other_begins() -> None:
    fleet = spend()
    running = {pod["metadata"]["name"] for pod in fleet.list_pods("a0") if pod["status"]["phase"] == "Running"}
    assert running

    fleet.run_until(lambda _: not fleet.list_pods("a0"), seconds=60)

    assert fleet.read_status("a0").phase is Phase.WAITING
    ended = {
        pod["metadata"]["name"] for pod in fleet.api.list_all(Resource.PODS) if pod["status"]["phase"] == "Succeeded"
    }
    assert running <= ended
    assert len(fleet.store.runs) <= 36 / 2 + 2 * len(running)
    writes = len(fleet.api.writes)
    fleet.run_for(3600)
    assert len(fleet.api.writes) == writes


def test_a_sweep_goes_on_on_the_next_day_until_it_is_complete() -> None:
    fleet = spend()
    done = len(fleet.store.runs)

    fleet.run_until(lambda _: fleet.api.now.day == 2 and fleet.read_status("a0").phase is Phase.RENDERING, seconds=DAYS)
    fleet.run_until(lambda _: fleet.read_ready("a0") == SPENT.format(day="2026-05-03"))

    assert len(fleet.store.runs) > done
    fleet.run_until_all_complete(seconds=20 * DAYS)


@pytest.mark.parametrize("away", [0, 300])
def test_gpu_hours_survive_the_deletion_of_the_sweep_and_a_restart(away: int) -> None:
    fleet = spend()
    fleet.run_for(120)

    fleet.api.remove(Resource.SWEEPS, "a0")
    fleet.run_for(5)
    fleet.api.now += timedelta(seconds=away)
    fleet.restart()
    again = fleet.create(runs=4, gpu={"count": 1})
    fleet.run_for(5)

    assert fleet.read_ready(again) == SPENT.format(day="2026-05-02")


def test_gpu_hours_survive_a_rebuilt_cache() -> None:
    fleet = spend()

    fleet.rebuild_cache()
    again = fleet.create(runs=4, gpu={"count": 1})
    fleet.run_for(5)

    assert fleet.read_ready(again) == SPENT.format(day="2026-05-02")


def test_a_sweep_without_gpus_goes_on_when_the_gpu_hours_are_spent() -> None:
    fleet = spend()

    cpu = fleet.create(runs=4)
    fleet.run_until(lambda _: fleet.read_status(cpu).phase is Phase.COMPLETE)

    assert fleet.read_ready("a0").startswith("Limited")


def test_a_sweep_that_has_rendered_everything_commits_although_the_gpu_hours_are_spent() -> None:
    fleet = SimulatedFleet(0, gpu_hours_per_day=0.01)
    fleet.create(runs=18, gpu={"count": 2}, parallelism=18)

    fleet.run_until_all_complete(seconds=600)


def run(fleet: SimulatedFleet) -> SimulatedFleet:
    fleet.create()
    fleet.create()
    fleet.run_until_all_complete()
    return fleet


def test_a_crash_at_any_write_exceeds_no_limit_and_loses_no_sweep() -> None:
    undisturbed = run(SimulatedFleet(0, runs=2, sweeps=1, pods=2))

    for write in range(len(undisturbed.api.writes)):
        when = ("before", "after")[write % 2]
        fleet = SimulatedFleet(0, runs=2, sweeps=1, pods=2)
        fleet.crash_at(write, when)
        run(fleet)
        assert fleet.restarts == 1, (write, when)
        assert max(fleet.store.rendered.values()) == 1


def test_sweeps_created_while_the_operator_was_away_start_in_order_of_age() -> None:
    fleet = SimulatedFleet(4, sweeps=1)
    for body in fleet.api.list_all(Resource.SWEEPS):
        body["status"] = {}
    for job in fleet.api.list_all(Resource.JOBS):
        fleet.api.remove(Resource.JOBS, job["metadata"]["name"])
    fleet.started.clear()

    fleet.restart()
    fleet.run_until_all_complete()

    assert fleet.started == sorted(fleet.started)


@pytest.mark.parametrize("seed", range(6))
def test_sweeps_complete_despite_faults_and_late_watches(seed: int) -> None:
    random = Random(seed)
    fleet = SimulatedFleet(6, runs=6, lag=0.5 * (seed % 2), seed=seed, sweeps=2, pods=4)
    for _ in range(12):
        fleet.run_for(random.randint(1, 12))
        name = random.choice(fleet.names)
        match random.randrange(4):
            case 0:
                fleet.restart()
            case 1:
                fleet.rebuild_cache()
            case 2:
                fleet.api.edit_spec(Resource.SWEEPS, name, suspend=random.random() < 0.5)
            case _:
                fleet.api.edit_spec(Resource.SWEEPS, name, parallelism=random.randint(1, 6))
    for name in fleet.names:
        fleet.api.edit_spec(Resource.SWEEPS, name, suspend=False)

    fleet.run_until_all_complete()

    assert len(fleet.store.runs) == 36


# Datasets

PODS = "Limited: The limit of this namespace, 4 pods at once, is reached; sweeps and datasets go on in order of age."


def complete_one(fleet: SimulatedFleet, **spec: Any) -> str:
    """Create a sweep and wait until it is complete."""
    name = fleet.create(**spec)
    fleet.run_until(lambda _: fleet.read_status(name).phase is Phase.COMPLETE)
    return name


def is_published(fleet: SimulatedFleet, word: str) -> bool:
    return fleet.read_dataset(word).phase is DatasetPhase.PUBLISHED


def test_a_dataset_waits_for_the_pods_of_an_older_sweep() -> None:
    fleet = SimulatedFleet(0, pods=4)
    source = complete_one(fleet, runs=4)
    old = fleet.create(runs=40, parallelism=4)
    fleet.run_until(lambda _: len(fleet.list_pods(old)) == 4)

    dataset = fleet.create_dataset("sem", source, parallelism=4)
    fleet.run_for(10)
    assert fleet.read_ready(dataset) == PODS
    assert not fleet.list_pods(dataset)
    assert [event for event in fleet.events if event.endswith(PODS.removeprefix("Limited: "))] == [PODS]

    fleet.run_until(lambda _: is_published(fleet, dataset))
    assert fleet.read_status(old).phase is Phase.COMPLETE


def test_a_sweep_has_the_pods_that_an_older_dataset_leaves() -> None:
    fleet = SimulatedFleet(0, pods=4)
    source = complete_one(fleet, runs=4)
    dataset = fleet.create_dataset("sem", source, parallelism=3)
    young = fleet.create(runs=12, parallelism=4)
    fleet.run_until(lambda _: len(fleet.list_pods(dataset)) == 3 and len(fleet.list_pods(young)) == 1)
    fleet.run_until(lambda _: is_published(fleet, dataset) and len(fleet.list_pods(young)) == 4)
    fleet.run_until_all_complete()


def test_a_dataset_with_some_of_its_pods_exports_in_turns_and_gets_more() -> None:
    fleet = SimulatedFleet(0, pods=4)
    source = complete_one(fleet, runs=4)
    old = fleet.create(runs=9, parallelism=3)
    fleet.run_until(lambda _: len(fleet.list_pods(old)) == 3)
    dataset = fleet.create_dataset("sem", source, parallelism=4)
    fleet.run_until(lambda _: len(fleet.list_pods(dataset)) == 1)
    assert fleet.read_ready(dataset) == (
        "Exporting: Exporting version '1' in 4 pods, fewer at a time while the namespace is at its limit."
    )
    fleet.run_until(lambda _: is_published(fleet, dataset))
    assert sorted(part for _, part in fleet.store.exported) == [0, 1, 2, 3]
    fleet.run_until_all_complete()


def test_a_dataset_needs_no_place_among_the_sweeps_at_work() -> None:
    fleet = SimulatedFleet(0, sweeps=1, pods=4)
    source = complete_one(fleet, runs=4)
    at_work = fleet.create(runs=60, parallelism=2)
    dataset = fleet.create_dataset("sem", source, parallelism=2)
    fleet.run_until(lambda _: is_published(fleet, dataset))
    assert fleet.read_status(at_work).phase is Phase.RENDERING


def test_a_dataset_without_any_pod_says_so_and_holds_up_no_sweep() -> None:
    fleet = SimulatedFleet(0, sweeps=1)
    source = complete_one(fleet, runs=2)
    fleet.change_limits(pods=0)
    dataset = fleet.create_dataset("sem", source)
    fleet.run_for(10)
    assert fleet.read_ready(dataset) == (
        "Limited: The dataset cannot start; the limit of this namespace is 0 pods at once."
    )
    assert not fleet.store.exported
    fleet.change_limits(pods=1)
    fleet.run_until(lambda _: is_published(fleet, dataset))


def test_a_lowered_limit_stops_the_youngest_dataset_and_its_parts_are_exported_later() -> None:
    fleet = SimulatedFleet(0, pods=6)
    source = complete_one(fleet, runs=4)
    old = fleet.create(runs=40, parallelism=3)
    fleet.run_until(lambda _: len(fleet.list_pods(old)) == 3)
    dataset = fleet.create_dataset("sem", source, parallelism=3)
    fleet.run_until(lambda _: len(fleet.list_pods(dataset)) == 3)
    fleet.change_limits(pods=3)
    fleet.run_until(lambda _: not fleet.list_pods(dataset))
    assert fleet.read_ready(dataset).startswith("Limited: The limit of this namespace, 3 pods at once, is reached")
    fleet.run_until(lambda _: is_published(fleet, dataset))


def test_a_deleted_dataset_gives_its_pods_to_the_oldest_that_waits() -> None:
    fleet = SimulatedFleet(0, pods=2)
    source = complete_one(fleet, runs=4)
    dataset = fleet.create_dataset("sem", source, parallelism=2)
    young = fleet.create(runs=4)
    fleet.run_until(lambda _: len(fleet.list_pods(dataset)) == 2)
    fleet.api.remove(Resource.DATASETS, "sem")
    fleet.run_until(lambda _: len(fleet.list_pods(young)) > 0)
    fleet.run_until_all_complete()


def test_a_crash_at_any_write_exceeds_no_limit_with_datasets() -> None:
    def run(fleet: SimulatedFleet) -> SimulatedFleet:
        fleet.create(runs=4, parallelism=2)
        words = [fleet.create_dataset(name, "a0", parallelism=2) for name in ("one", "two")]
        fleet.create(runs=4, parallelism=2)
        fleet.run_until_all_complete()
        fleet.run_until(lambda _: all(is_published(fleet, word) for word in words))
        return fleet

    writes = len(run(SimulatedFleet(0, pods=2)).api.writes)
    for write in range(0, writes, 3):
        for when in ("before", "after"):
            fleet = SimulatedFleet(0, pods=2)
            fleet.crash_at(write, when)
            assert run(fleet).restarts == 1, (write, when)


@pytest.mark.parametrize("seed", range(6))
def test_datasets_and_sweeps_end_despite_restarts_and_late_watches(seed: int) -> None:
    fleet = SimulatedFleet(0, lag=0.4, seed=seed, pods=3, sweeps=2)
    random = Random(seed)
    words = []
    for number in range(4):
        name = fleet.create(runs=5, parallelism=2)
        words.append(fleet.create_dataset(f"d{number}", name, parallelism=1 + number, version=str(number)))
        fleet.run_for(random.randrange(8))
        if random.random() < 0.5:
            fleet.restart()
    fleet.run_until_all_complete()
    fleet.run_until(lambda _: all(is_published(fleet, word) for word in words), seconds=20_000)
