"""A batch over many pods, each of which may die between any two steps: no run is lost, and only the guilty fail."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from synth_api.reasons import Reason
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.store.base import StoreError
from synth_renderer.runtime.batch.gpu_clock import GpuClock
from synth_renderer.runtime.batch.progress import BatchWork
from synth_renderer.runtime.pool import RunEnded, RunStarting, WorkerDied
from synth_renderer.runtime.protocol import RunReport, RunTask
from synth_renderer.runtime.run_queue import RunQueue, Try

ATTEMPT = "attempt"
RUNS = (7, 3, 9, 1, 4, 8)
RETRIES = 1
LIMIT = 2_000
"""Bytes of a document without failures; each failure adds less than 300."""


class TrialStore:
    """What BatchWork needs of a store."""

    def __init__(self) -> None:
        self.document: bytes | None = None
        self.runs: set[str] = set()
        self.is_up = True

    def write(self, path: str, content: bytes) -> None:
        assert path == layout.batch_path(ATTEMPT, 0)
        if not self.is_up:
            raise StoreError(Reason.STORE_UNREACHABLE, "the store does not answer")
        self.document = content

    def has_run(self, key: str) -> bool:
        return key in self.runs


def build_task(number: int) -> RunTask:
    return RunTask(number=number, key=f"key of {number}", overrides={"seed": number}, recipe={}, base={})


def report(number: int, outcome: Any, reason: str = "") -> RunReport:
    return RunReport(number=number, outcome=outcome, reason=reason, seconds=1.0)


class Batch(RuleBasedStateMachine):
    """Pods with up to three workers; guilty runs end their worker, or the whole pod, whenever one renders them."""

    def __init__(self) -> None:
        super().__init__()
        self.store: Any = TrialStore()
        self.guilty: frozenset[int] = frozenset()
        self.work: BatchWork | None = None
        self.in_flight: list[Try] = []
        self.own_deaths: Counter[int] = Counter()

    @initialize(guilty=st.frozensets(st.sampled_from(RUNS), max_size=3))
    def choose_guilty_runs(self, guilty: frozenset[int]) -> None:
        self.guilty = guilty

    @precondition(lambda self: self.work is None)
    @rule()
    def start_pod(self) -> None:
        text = self.store.document
        document = BatchDocument.model_validate_json(text) if text else BatchDocument(batch=0, size=len(RUNS))
        self.work = BatchWork(self.store, ATTEMPT, document, RUNS, build_task)
        self.work.take_over(RETRIES)
        self.queue = RunQueue.build(self.work.iterate_tasks(), self.work.list_suspects())
        self.clock = GpuClock(1)
        self.in_flight = []

    @precondition(lambda self: self.work and len(self.in_flight) < 3)
    @rule(is_killed=st.booleans())
    def begin_try(self, is_killed: bool) -> None:
        alone = bool(self.queue.suspects) or any(attempt.is_suspect for attempt in self.in_flight)
        attempt = None if alone and self.in_flight else self.queue.take()
        if attempt is None:
            return
        self.tell(RunStarting(attempt.task, attempt.number))
        self.in_flight.append(attempt)
        if is_killed:  # between the mark and the run, with its node
            self.end_pod()

    def end_pod(self) -> None:
        """End the pod without notice: a run that was alone counts as the cause."""
        if len(self.in_flight) == 1:
            self.own_deaths[self.in_flight[0].task.number] += 1
        self.work = None

    def tell(self, event: Any) -> None:
        assert self.work is not None
        self.work.record(event, self.clock)

    def choose(self, data: st.DataObject, among: Any) -> Try | None:
        chosen = [attempt for attempt in self.in_flight if among(attempt.task.number)]
        return data.draw(st.sampled_from(chosen)) if chosen else None

    @precondition(lambda self: self.work and self.in_flight)
    @rule(data=st.data())
    def commit_run_without_telling(self, data: st.DataObject) -> None:
        attempt = self.choose(data, lambda run: run not in self.guilty)
        if attempt:
            self.store.runs.add(attempt.task.key)

    @precondition(lambda self: self.work and self.in_flight)
    @rule(data=st.data())
    def end_run(self, data: st.DataObject) -> None:
        attempt = self.choose(data, lambda run: run not in self.guilty)
        if attempt:
            self.in_flight.remove(attempt)
            outcome = "present" if attempt.task.key in self.store.runs else "succeeded"
            self.store.runs.add(attempt.task.key)
            self.tell(RunEnded(attempt.task, report(attempt.task.number, outcome)))

    @precondition(lambda self: self.work and self.in_flight)
    @rule(data=st.data())
    def crash_worker(self, data: st.DataObject) -> None:
        attempt = self.choose(data, lambda run: run in self.guilty)
        if attempt:
            self.in_flight.remove(attempt)
            self.own_deaths[attempt.task.number] += 1
            died = attempt.add_death(is_certain=True)
            self.tell(WorkerDied(attempt.task, "was killed by SIGSEGV", died.deaths))
            if died.deaths <= RETRIES:
                self.queue.put_back(died)
            else:
                self.tell(RunEnded(attempt.task, report(attempt.task.number, "failed", "WorkerDied")))

    @precondition(lambda self: self.work and len(self.in_flight) > 1)
    @rule(data=st.data())
    def kill_worker_beside_others(self, data: st.DataObject) -> None:
        attempt = self.choose(data, lambda _: True)
        if attempt:
            self.in_flight.remove(attempt)
            died = attempt.add_death(is_certain=False)
            self.tell(WorkerDied(attempt.task, "was killed by SIGKILL", died.deaths))
            self.queue.put_back(died)

    @precondition(lambda self: self.work and any(attempt.task.number in self.guilty for attempt in self.in_flight))
    @rule()
    def crash_pod(self) -> None:
        self.end_pod()

    @precondition(lambda self: self.work)
    @rule(is_up=st.booleans())
    def stop_pod(self, is_up: bool) -> None:
        assert self.work is not None
        self.store.is_up = is_up or bool(self.in_flight)
        for attempt in self.in_flight:
            self.tell(RunEnded(attempt.task, report(attempt.task.number, "dropped")))
        try:
            self.work.save()
        except StoreError:
            assert not is_up
        self.store.is_up = True
        self.work = None

    @invariant()
    def only_guilty_runs_fail_and_only_by_their_own_deaths(self) -> None:
        if self.work is None:
            return
        document = self.work.document
        for failure in document.failures:
            assert self.own_deaths[failure.number] > RETRIES
        assert len(document.list_open_positions()) == len(RUNS) - document.ended_runs

    @invariant()
    def every_run_in_flight_has_its_mark_in_the_store(self) -> None:
        if self.work is None or not self.in_flight:
            return
        stored = BatchDocument.model_validate_json(self.store.document)
        assert {mark.run for mark in stored.in_flight} >= {attempt.task.number for attempt in self.in_flight}
        assert len(self.store.document) < LIMIT + 300 * len(RUNS)

    def teardown(self) -> None:
        """Let pods go on, of which each guilty run crashes one: the batch ends."""
        self.work = None
        for _ in range(len(RUNS) * (RETRIES + 2) + 2):
            self.start_pod()
            if self.work_until_crash():
                break
        assert self.work is not None
        document = self.work.document
        assert not self.work.open_runs
        assert {failure.number for failure in document.failures} >= self.guilty
        assert self.store.runs == {
            build_task(run).key for run in RUNS if run not in {failure.number for failure in document.failures}
        }

    def work_until_crash(self) -> bool:
        """Render what a pod can; return True if it is not ended by a guilty run."""
        while True:
            alone = bool(self.queue.suspects)
            while len(self.in_flight) < (1 if alone else 3) and (attempt := self.queue.take()):
                self.tell(RunStarting(attempt.task, attempt.number))
                self.in_flight.append(attempt)
            if any(attempt.task.number in self.guilty for attempt in self.in_flight):
                self.crash_pod()
                return False
            if not self.in_flight:
                return True
            for attempt in self.in_flight:
                self.store.runs.add(attempt.task.key)
                self.tell(RunEnded(attempt.task, report(attempt.task.number, "succeeded")))
            self.in_flight.clear()


TestBatch = Batch.TestCase
TestBatch.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
