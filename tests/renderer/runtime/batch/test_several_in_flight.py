"""A pod with several workers: runs, workers or the pod itself end while other runs are in flight."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from waiting import SECONDS

from synth_dataset.documents import layout

if TYPE_CHECKING:
    from tests.renderer.runtime.batch.conftest import Pods

RUNS = 6


def read_deaths(batch: Pods) -> list[tuple[int, str, int]]:
    return [
        (event["run"], event["exit"], event["deaths"]) for event in batch.events() if event["event"] == "worker died"
    ]


def test_runs_of_a_batch_are_in_flight_together(batch: Pods) -> None:
    for seed in range(RUNS):
        batch.order(seed, "hang until released")
    with batch.start(workers=3) as process:
        for seed in batch.list_runs()[:3]:
            batch.wait_for_file(f"{seed}.rendered")
        assert sorted(mark.run for mark in batch.document().in_flight) == sorted(batch.list_runs()[:3])
        (batch.folder / "released").touch()
        assert process.wait(timeout=SECONDS) == 0

    assert batch.message.succeeded == RUNS
    assert (batch.document().ended, batch.document().in_flight) == (((0, RUNS),), ())
    assert len({worker for seed in range(RUNS) for worker in batch.workers(seed)}) == 3


def test_message_and_log_say_the_same_as_with_one_worker(batch: Pods) -> None:
    batch.order(1, "raise")
    batch.order(2, "crash")
    told: list[tuple[dict[str, Any], Counter[tuple[str, int]]]] = []
    for workers, attempt in ((1, "b" * 64), (3, "d" * 64)):
        batch.plan(attempt)
        assert batch.run(workers=workers) == 0
        message = batch.message.model_dump(exclude={"seconds", "gpu_seconds_used", "gpu_seconds_lost", "failures"})
        failures = sorted(batch.message.failures, key=lambda failure: failure.run)
        told.append(
            ({**message, "failures": failures}, Counter((each["event"], each["run"]) for each in batch.events()))
        )
        batch.forget_runs()

    assert told[0] == told[1]
    assert batch.message.reasons == {"EngineFailed": 1, "WorkerDied": 1}


def test_a_pod_that_dies_with_several_runs_blames_none_and_its_suspects_are_rendered_alone(batch: Pods) -> None:
    guilty, *neighbours = batch.list_runs()[:3]
    batch.order(guilty, "kill pod beside two others")
    for seed in neighbours:
        batch.order(seed, "hang")
    assert batch.run(workers=3) == -signal.SIGKILL
    assert Counter(mark.attempts for mark in batch.document().in_flight) == {1: 3}
    for seed in neighbours:
        batch.order(seed, "raise unless alone")

    assert batch.run(workers=3) == -signal.SIGKILL
    assert [(mark.run, mark.attempts) for mark in batch.document().in_flight] == [(guilty, 1)]
    assert sorted(suspect.run for suspect in batch.document().suspects) == sorted(neighbours)
    assert batch.run(workers=3) == -signal.SIGKILL
    assert batch.run(workers=3) == 0

    assert batch.tries(guilty) == 3, "one beside others, and two of its own"
    assert (batch.message.succeeded, batch.message.reasons) == (RUNS - 1, {"WorkerDied": 1})
    assert batch.message.failures[0].run == guilty
    assert "in each of 2 tries" in batch.message.failures[0].message


def test_a_worker_that_is_killed_beside_others_costs_its_run_no_try_and_it_is_rendered_alone(batch: Pods) -> None:
    killed, *neighbours = batch.list_runs()[:3]
    batch.order(killed, "be killed once beside two others")
    for seed in neighbours:
        batch.order(seed, "hang until released")
    with batch.start(workers=3) as process:
        while batch.orders(killed):
            assert process.poll() is None
        batch.order(killed, "raise unless alone")
        (batch.folder / "released").touch()
        batch.log, _ = process.communicate(timeout=SECONDS)

    assert (process.returncode, batch.message.succeeded) == (0, RUNS)
    assert read_deaths(batch) == [(killed, "was killed by SIGKILL", 0)]


def test_a_run_that_crashes_its_worker_fails_while_its_neighbours_are_in_flight(batch: Pods) -> None:
    crashing, *neighbours = batch.list_runs()[:3]
    batch.order(crashing, "crash beside two others")
    for seed in neighbours:
        batch.order(seed, "hang until released")
    with batch.start(workers=3) as process:
        batch.wait_for_failures(1)
        assert {mark.run for mark in batch.document().in_flight} >= set(neighbours)
        (batch.folder / "released").touch()
        batch.log, _ = process.communicate(timeout=SECONDS)

    assert (process.returncode, batch.message.succeeded, batch.message.reasons) == (0, RUNS - 1, {"WorkerDied": 1})
    assert read_deaths(batch) == [(crashing, "was killed by SIGSEGV", deaths) for deaths in (1, 2)]
    assert [batch.tries(seed) for seed in neighbours] == [1, 1]


def test_sigterm_commits_what_is_being_committed_and_drops_the_others(batch: Pods) -> None:
    committing, *neighbours = batch.list_runs()[:3]
    batch.order(committing, "commit when released")
    for seed in neighbours:
        batch.order(seed, "hang")
    with batch.start(workers=3) as process:
        for name in ("committing", *(f"{seed}.rendered" for seed in neighbours)):
            batch.wait_for_file(name)
        process.send_signal(signal.SIGTERM)
        (batch.folder / "released").touch()
        batch.log, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 143
    assert [seed for seed in range(RUNS) if batch.exists(seed)] == [committing]
    assert (batch.document().in_flight, batch.document().suspects) == ((), ())
    assert (batch.message.succeeded, batch.message.failed) == (1, 0)
    assert batch.message.gpu_seconds_lost > 0
    assert Counter(event["event"] for event in batch.events())["dropped"] == 2
    assert len({path.split("/")[2] for path in batch.store.iterate_files(layout.RUNS)}) == 1
    assert not list(batch.folder.glob("worker-*")), "the workers' temporary files"


def test_a_device_that_is_gone_ends_the_pod_and_leaves_no_mark_of_any_run(batch: Pods) -> None:
    without_device, *neighbours = batch.list_runs()[:3]
    batch.order(without_device, "no device beside two others")
    for seed in neighbours:
        batch.order(seed, "hang")

    assert batch.run(workers=3) == 75

    assert batch.message.problem is not None
    assert batch.message.problem.reason == "DeviceUnavailable"
    assert (batch.document().in_flight, batch.document().suspects) == ((), ())


def test_pods_that_are_killed_at_any_time_lose_no_run_and_blame_none(batch: Pods) -> None:
    dice = random.Random(20261129)
    for seed in range(RUNS):
        batch.order(seed, "hang a moment")
    killed = 0
    for _ in range(2):
        with batch.start(workers=3) as process:
            begun = sum(map(batch.tries, range(RUNS)))
            while process.poll() is None and sum(map(batch.tries, range(RUNS))) == begun:
                threading.Event().wait(0.01)
            threading.Event().wait(dice.uniform(0, 0.3))
            process.kill()
            killed += process.wait() == -signal.SIGKILL

    assert killed
    assert batch.run(workers=3) == 0
    assert (batch.message.succeeded, batch.message.failed) == (RUNS, 0)
    assert all(map(batch.exists, range(RUNS)))
