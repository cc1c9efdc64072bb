from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from synth_renderer.runtime.pool import PoolUnavailableError, RunEnded, RunStarting

if TYPE_CHECKING:
    from conftest import Trial


def outcomes(reports: dict) -> dict[int, str]:
    return {number: report.outcome for number, report in sorted(reports.items())}


def test_one_worker_renders_many_runs(trial: Trial) -> None:
    reports = trial.reports(range(5), trial.pool())
    assert outcomes(reports) == dict.fromkeys(range(5), "succeeded")
    assert len({pid for seed in range(5) for pid in trial.renderers(seed)}) == 1


def test_a_run_that_exists_is_not_rendered(trial: Trial) -> None:
    trial.reports(range(2), trial.pool())
    assert outcomes(trial.reports(range(3), trial.pool())) == {0: "present", 1: "present", 2: "succeeded"}
    assert len(trial.renderers(0)) == 1


def test_an_exception_fails_its_run_with_a_reason_and_the_others_go_on(trial: Trial) -> None:
    trial.order(1, "raise")
    reports = trial.reports(range(3), trial.pool())
    assert outcomes(reports) == {0: "succeeded", 1: "failed", 2: "succeeded"}
    assert (reports[1].reason, reports[1].message) == ("EngineFailed", "ValueError: two beads in one place")
    assert "Traceback" in (trial.orders / "worker.log").read_text()


def test_a_run_that_kills_its_worker_is_tried_three_times_and_takes_no_neighbour_along(trial: Trial) -> None:
    trial.order(1, "crash")
    reports = trial.reports(range(6), trial.pool(size=2))
    assert outcomes(reports) == {number: "failed" if number == 1 else "succeeded" for number in range(6)}
    assert reports[1].reason == "WorkerDied"
    assert reports[1].message.startswith("its worker was killed by SIGSEGV, as in each of 3 attempts; see ")
    assert len(set(trial.renderers(1))) == 3


def test_a_run_whose_worker_was_killed_once_succeeds_at_the_second_attempt(trial: Trial) -> None:
    trial.order(1, "crash once")
    events = list(trial.pool().events(trial.task(seed) for seed in range(3)))
    assert [event.attempt for event in events if isinstance(event, RunStarting) and event.task.number == 1] == [1, 2]
    assert {event.report.outcome for event in events if isinstance(event, RunEnded)} == {"succeeded"}


def test_the_first_worker_starts_alone_and_the_others_once_it_is_ready(trial: Trial) -> None:
    for seed in range(3):
        trial.order(seed, "hang until released")
    workers, others = [], len(psutil.Process().children())
    for event in trial.pool(size=3).events(trial.task(seed) for seed in range(4)):
        if isinstance(event, RunStarting):
            workers.append(len(psutil.Process().children()) - others)
        if len(workers) == 3:
            (trial.orders / "released").touch()
    assert workers[0] == 1
    assert max(workers) == 3


def test_a_further_worker_that_does_not_start_is_done_without(trial: Trial) -> None:
    (trial.orders / "one worker only").touch()
    reports = trial.reports(range(6), trial.pool(size=2))
    assert outcomes(reports) == dict.fromkeys(range(6), "succeeded")
    assert len({pid for seed in range(6) for pid in trial.renderers(seed)}) == 1


def test_a_worker_past_its_watermark_is_replaced_after_its_run(trial: Trial) -> None:
    trial.order(1, "leak")
    reports = trial.reports(range(4), trial.pool(watermark=250 << 20))
    assert outcomes(reports) == dict.fromkeys(range(4), "succeeded")
    assert trial.renderers(0) == trial.renderers(1) != trial.renderers(2) == trial.renderers(3)


def test_a_stop_drops_what_is_in_flight_and_leaves_no_scratch(trial: Trial) -> None:
    trial.order(2, "hang")
    ended = {}
    for event in trial.pool().events(trial.task(seed) for seed in range(5)):
        if isinstance(event, RunEnded):
            ended[event.task.number] = event.report
        elif isinstance(event, RunStarting) and event.task.number == 2:
            trial.wish.add()
    assert outcomes(ended) == {0: "succeeded", 1: "succeeded", 2: "dropped"}
    assert trial.scratch() == []


def test_a_worker_stops_though_its_store_is_gone_and_its_log_is_full(trial: Trial) -> None:
    trial.order(0, "hang")
    ended = {}

    def remove_store() -> None:
        trial.wait_for_files(0)
        shutil.rmtree(trial.store)
        trial.wish.add()

    for event in trial.pool(log=Path("/dev/full")).events(iter([trial.task(0)])):
        if isinstance(event, RunEnded):
            ended[event.task.number] = event.report
        elif isinstance(event, RunStarting):
            threading.Thread(target=remove_store).start()
    assert outcomes(ended) == {0: "dropped"}
    assert not trial.store.exists()


def test_a_worker_that_someone_stops_with_notice_costs_its_run_no_attempt(trial: Trial) -> None:
    trial.order(0, "terminate once")
    attempts, ended = [], {}
    for event in trial.pool().events(trial.task(seed) for seed in range(2)):
        if isinstance(event, RunStarting):
            attempts.append((event.task.number, event.attempt))
        elif isinstance(event, RunEnded):
            ended[event.task.number] = event.report
    assert attempts == [(0, 1), (0, 1), (1, 1)]
    assert outcomes(ended) == {0: "succeeded", 1: "succeeded"}
    assert "run 0 dropped" in (trial.orders / "worker.log").read_text()


def test_a_second_wish_ends_at_once(trial: Trial) -> None:
    trial.order(0, "hang")
    ended = {}
    for event in trial.pool().events(iter([trial.task(0)])):
        if isinstance(event, RunEnded):
            ended[event.task.number] = event.report
        elif isinstance(event, RunStarting):
            trial.wish.add()
            trial.wish.add()
    assert outcomes(ended) == {0: "dropped"}


def test_giving_the_iteration_up_ends_the_workers(trial: Trial) -> None:
    trial.order(1, "hang")
    events = trial.pool(size=2).events(trial.task(seed) for seed in range(4))
    next(event for event in events if isinstance(event, RunEnded))
    events.close()
    for pid in trial.renderers(0):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)


def test_workers_that_never_get_ready_are_an_installation_that_does_not_work(trial: Trial) -> None:
    with pytest.raises(PoolUnavailableError, match="3 workers ended before they were ready") as caught:
        trial.reports(range(2), trial.pool(engine="no_such_engine:render"))
    assert "No module named 'no_such_engine'" in str(caught.value)


def test_a_log_that_cannot_be_written_is_one_sentence(trial: Trial) -> None:
    log = trial.orders / "folder"
    log.mkdir()
    with pytest.raises(PoolUnavailableError) as caught:
        trial.reports(range(1), trial.pool(log=log))
    assert str(caught.value) == f"no worker can be started: {log}: Is a directory"


def test_no_runs_start_no_worker(trial: Trial) -> None:
    assert trial.reports(range(0), trial.pool()) == {}
    assert not (trial.orders / "worker.log").exists()
