"""A batch in progress: its runs, document and termination message."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.messages import write_message
from synth_api.reasons import FailureReason
from synth_api.sentences import format_log_entry
from synth_api.version import ENGINE_VERSION
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import RunUsage, describe_deaths
from synth_dataset.documents.failed_run import FailedRun
from synth_renderer.runtime.pool import RunEnded, RunStarting, WorkerCompiling, WorkerPreparing, WorkerReady
from synth_renderer.runtime.run_queue import Try

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from synth_api.jobs.messages import Problem
    from synth_dataset.documents.batch_document import BatchDocument
    from synth_dataset.store.base import Store
    from synth_dataset.store.packing import Packer
    from synth_renderer.runtime.batch.gpu_clock import GpuClock
    from synth_renderer.runtime.pool import PoolEvent, WorkerDied
    from synth_renderer.runtime.protocol import RunReport, RunTask

MIN_STAGE_SECONDS: Final = 0.0005
"""Shorter stages are left out of the termination message."""


class BatchWork:
    """The runs of a batch, and what happens to them; methods that write the document to the store raise StoreError."""

    def __init__(
        self,
        store: Store,
        attempt: str,
        document: BatchDocument,
        runs: Sequence[int],
        build_task: Callable[[int], RunTask],
        packer: Packer | None = None,
    ) -> None:
        """Record the runs as ended once they are in the store: with a packer, once they are in a shard.

        `attempt` is the folder of the attempt.
        """
        self.document = document
        self._store = store
        self._path = layout.batch_path(attempt, document.batch)
        self._tables_path = layout.batch_tables_path(attempt, document.batch)
        self._runs = runs
        self._positions = {run: position for position, run in enumerate(runs)}
        self._build_task = build_task
        self._is_saved = True
        self._packer = packer
        self._unpacked: dict[int, RunUsage] = {}

    @property
    def open_runs(self) -> int:
        """Number of runs that have not ended."""
        return len(self._runs) - self.document.ended_runs

    @property
    def has_waiting_runs(self) -> bool:
        """Return True if there are runs that are neither rendered nor in flight."""
        return self.open_runs > len(self.document.in_flight) + len(self._unpacked)

    @property
    def is_over(self) -> bool:
        """Return True if all runs have ended, and the document in the store says so."""
        return not self.open_runs and self._is_saved

    def take_over(self, retries: int) -> None:
        """Take the batch over from an earlier pod: a run that has ended more than `retries` workers fails."""
        self._update(self.document.take_over())
        for suspect in self.document.suspects:
            task = self._build_task(suspect.run)
            is_over = suspect.deaths > retries and not self._store.has_run(task.key)
            if is_over:
                position = self._positions[suspect.run]
                self._update(self.document.fail_suspect(suspect, position, task.overrides))
            log_event("found in flight", run=suspect.run, deaths=suspect.deaths, given_up=is_over)

    def list_suspects(self) -> list[Try]:
        """Return the runs that are rendered alone."""
        return [Try(self._build_task(suspect.run), suspect.deaths) for suspect in self.document.suspects]

    def iterate_tasks(self) -> Iterator[RunTask]:
        """Yield the other runs that have not ended, in order."""
        suspects = {suspect.run for suspect in self.document.suspects}
        open_runs = [self._runs[position] for position in self.document.list_open_positions()]
        return (self._build_task(run) for run in open_runs if run not in suspects)

    def record(self, event: PoolEvent, clock: GpuClock) -> None:
        """Record what the pool reports. A try begins only after its mark is in the store."""
        if isinstance(event, RunStarting):
            self._update(self.document.mark_in_flight(event.task.number))
            self.save()
            clock.start(event.task.number)
        elif isinstance(event, RunEnded):
            self._end_run(event, clock.stop(event.task.number))
        elif isinstance(event, WorkerPreparing):
            self._count_startup("", event.seconds, clock)
            log_event("starting up", message=event.sentence, seconds=round(event.seconds, 1))
        elif isinstance(event, WorkerCompiling):
            log_event("compiling kernels", seconds=round(event.seconds, 1))
        elif isinstance(event, WorkerReady):
            self._end_startup(event, clock)
        else:
            self._record_death(event, clock.stop(event.task.number))

    def _end_startup(self, event: WorkerReady, clock: GpuClock) -> None:
        if event.gpu is not None:
            self._count_startup(event.gpu.describe(), event.seconds, clock)
            log_event("started up", device=event.gpu.describe(), seconds=round(event.seconds, 1))

    def _count_startup(self, device: str, seconds: float, clock: GpuClock) -> None:
        document = self.document.add_startup(device, clock.count_startup(seconds))
        if document != self.document:
            self._update(document)

    def _record_death(self, event: WorkerDied, gpu_seconds: float) -> None:
        run = event.task.number
        self._update(self.document.add_death(run, event.deaths, RunUsage(gpu_seconds=gpu_seconds)))
        log_event("worker died", run=run, exit=event.exit, deaths=event.deaths)

    def _end_run(self, event: RunEnded, gpu_seconds: float) -> None:
        task, report = event.task, event.report
        run, usage = task.number, compute_usage(report, gpu_seconds)
        match report.outcome:
            case "dropped":
                self._update(self.document.clear_mark(run, usage))
            case "failed":
                self._update(self.document.add_failure(self._build_failure(task, report), self._positions[run], usage))
            case _ if self._packer is None:
                self._update(self.document.add_success(run, self._positions[run], usage))
            case _:
                self._packer.add(task.key, report.bytes)
                self._unpacked[run] = usage
                self._update(self.document.set_aside(run))
        log_event(
            report.outcome, run=run, reason=report.reason, message=report.message, seconds=round(report.seconds, 3)
        )

    def pack(self, *, all_runs: bool = False) -> None:
        """Pack the rendered runs if they fill a shard, or all of them; they have ended then. Raises StoreError."""
        if self._packer is None or not self._unpacked or not (all_runs or self._packer.is_due):
            return
        self.save()  # without their marks: a pod that is killed while it packs was not ended by one of them
        self._packer.pack()
        for run, usage in self._unpacked.items():
            self._update(self.document.add_success(run, self._positions[run], usage))
        log_event("packed", runs=len(self._unpacked))
        self._unpacked.clear()

    def save(self) -> None:
        """Write the batch document to the store, if it has changed. Raises StoreError."""
        if not self._is_saved:
            self._store.write(self._path, self.document.to_json())
            self._is_saved = True

    def keep_tables(self) -> None:
        """Keep the particle tables of the runs for the commit, if all have ended. Raises StoreError, OSError."""
        if self.is_over:
            # pyarrow takes 60 MB, so it is loaded only after the workers have ended.
            from synth_dataset.attempts.attempt_tables import keep_batch_tables

            runs = ((run, self._build_task(run).key) for run in self._runs)
            keep_batch_tables(self._store, self._tables_path, runs)

    def write_message(self, file: Path, problem: Problem | None = None) -> None:
        """Write the termination message."""
        with suppress(OSError):  # the batch document in the store has the same content
            file.write_bytes(write_message(self.document.to_message(ENGINE_VERSION, problem)))

    def _update(self, document: BatchDocument) -> None:
        self.document = document
        self._is_saved = False

    def _build_failure(self, task: RunTask, report: RunReport) -> FailedRun:
        message = report.message
        if report.reason == FailureReason.WORKER_DIED:
            suspects = {suspect.run: suspect.deaths for suspect in self.document.suspects}
            message = describe_deaths(suspects[task.number])
        return FailedRun(number=task.number, overrides=task.overrides, reason=report.reason, message=message)


def compute_usage(report: RunReport, gpu_seconds: float) -> RunUsage:
    """Return the usage of a run."""
    stages = {stage: seconds for stage, seconds in report.stages.items() if seconds >= MIN_STAGE_SECONDS}
    return RunUsage(seconds=stages, gpu_seconds=gpu_seconds, bytes=report.bytes)


def log_event(event: str, **facts: Any) -> None:
    """Write one JSON object as a line to stdout, without credentials."""
    text = format_log_entry(event, {key: value for key, value in facts.items() if value != ""})
    with suppress(OSError, ValueError):  # a full or closed log must not end the worker
        print(f"{text}\n", end="", flush=True)
