"""A batch in progress: its runs one after another, its document and its termination message."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.messages import write_message
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.run_key import compute_run_key
from synth_api.sentences import format_log_entry
from synth_api.version import ENGINE_VERSION
from synth_dataset.documents.batch_document import RunUsage
from synth_dataset.documents.failed_run import FailedRun
from synth_renderer.runtime.protocol import RunTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_api.jobs.messages import Problem
    from synth_api.sweep.definition import Sweep
    from synth_dataset.documents.batch_document import BatchDocument
    from synth_dataset.store.base import Store
    from synth_renderer.runtime.protocol import RunReport
    from synth_renderer.runtime.worker import Worker

MIN_STAGE_SECONDS: Final = 0.0005
"""Shorter stages are left out of the termination message."""


class BatchWork:
    """The runs of a batch in order, on one worker; the caller holds `worker.commit_lock`."""

    def __init__(
        self, store: Store, path: str, document: BatchDocument, runs: Sequence[int], sweep: Sweep, worker: Worker
    ) -> None:
        self.document = document
        self._store = store
        self._path = path
        self._runs = runs
        self._sweep = sweep
        self._worker = worker

    def fail_crashing_run(self, retries: int) -> None:
        """Record the marked run as failed if its worker died more than `retries` times."""
        mark = self.document.in_flight
        if mark is not None:
            self.document = self.document.fail_repeated_crash(retries, self._sweep.overrides(mark.run))
            log_event("found in flight", run=mark.run, attempt=mark.attempts, given_up=self.document.in_flight is None)

    def has_next(self) -> bool:
        """Return True if a run has not ended."""
        return self.document.ended_runs < len(self._runs)

    def render_next_run(self, gpus: int) -> None:
        """Render the next run and record its end. Raises WorkerUnavailableError and StoreError."""
        number = self._runs[self.document.ended_runs]
        self.document = self.document.mark_in_flight(number)
        self.save()
        report = self._worker.render_run(self._task(number))
        usage = compute_usage(report, gpus)
        if report.outcome == "failed":
            self.document = self.document.add_failure(self._failed_run(report), usage)
        else:
            self.document = self.document.add_success(usage)
        log_event(
            report.outcome, run=number, reason=report.reason, message=report.message, seconds=round(report.seconds, 3)
        )

    def drop_run_in_flight(self, gpus: int) -> None:
        """Drop the run in flight and clear its mark, so that it is rendered again."""
        dropped = self._worker.drop_run()
        if dropped is not None:
            log_event("dropped", run=dropped.number)
        self.document = self.document.clear_mark(compute_usage(dropped, gpus) if dropped else RunUsage())
        self.save()

    def clear_mark(self) -> None:
        """Clear the in-flight mark, because device or store failed and not the run."""
        self.document = self.document.clear_mark(RunUsage())
        self.save()

    def save(self) -> None:
        """Write the batch document to the store. Raises StoreError."""
        self._store.write(self._path, self.document.to_json())

    def write_message(self, file: Path, problem: Problem | None = None) -> None:
        """Write the termination message."""
        with suppress(OSError):  # the batch document in the store has the same content
            file.write_bytes(write_message(self.document.to_message(ENGINE_VERSION, problem)))

    def _task(self, number: int) -> RunTask:
        recipe = self._sweep.build_recipe(number)
        return RunTask(
            number=number,
            key=compute_run_key(recipe),
            overrides=self._sweep.overrides(number),
            recipe=build_canonical_tree(recipe),
            base=self._base,
        )

    @cached_property
    def _base(self) -> dict[str, Any]:
        return build_canonical_tree(self._sweep.build_recipe(self._sweep.find_first_run()))

    def _failed_run(self, report: RunReport) -> FailedRun:
        overrides = self._sweep.overrides(report.number)
        return FailedRun(number=report.number, overrides=overrides, reason=report.reason, message=report.message)


def compute_usage(report: RunReport, gpus: int) -> RunUsage:
    """Return the usage of a run; a pod occupies its GPUs for the whole run."""
    stages = {stage: seconds for stage, seconds in report.stages.items() if seconds >= MIN_STAGE_SECONDS}
    return RunUsage(seconds=stages, gpu_seconds=gpus * report.seconds, bytes=report.bytes)


def log_event(event: str, **facts: Any) -> None:
    """Write one JSON object as a line to stdout, without credentials."""
    text = format_log_entry(event, {key: value for key, value in facts.items() if value != ""})
    with suppress(OSError, ValueError):  # a full or closed log must not end the worker
        print(f"{text}\n", end="", flush=True)
