"""Batch documents: progress of a batch over all its pods. The worker of the batch writes them, finalize reads them."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from synth_api.jobs.messages import BatchMessage, Problem
from synth_api.resources.synth_sweep import RunFailure
from synth_dataset.documents.document import Document
from synth_dataset.documents.failed_run import FailedRun

WORKER_DIED = "WorkerDied"


class InFlight(Document):
    """In-flight mark, written before a run; a worker that finds it knows that the run ended the previous worker."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    run: int
    attempts: int = Field(alias="try")
    """Number of the try, from 1."""


class RunUsage(Document):
    """Resources that one run has used."""

    seconds: dict[str, float] = Field(default={})
    """Seconds by stage of the run."""
    gpu_seconds: float = 0.0
    bytes: int = 0


class BatchDocument(Document):
    """`batches/<index>.json`. A worker renders the runs in order, so the ended runs are the first ones."""

    batch: int
    size: int
    """Number of runs of the batch."""
    in_flight: InFlight | None = None
    succeeded: int = 0
    """Number of runs rendered or found in the store."""
    failures: tuple[FailedRun, ...] = ()
    seconds: dict[str, float] = Field(default={})
    """Seconds by stage, summed over runs."""
    gpu_seconds_used: float = 0.0
    gpu_seconds_lost: float = 0.0
    bytes: int = 0

    @property
    def ended_runs(self) -> int:
        """Number of ended runs, which is the position of the next run in the batch."""
        return self.succeeded + len(self.failures)

    def fail_repeated_crash(self, retries: int, overrides: dict[str, Any]) -> BatchDocument:
        """Record the run in flight as failed if it has ended its worker more than `retries` times.

        A new worker calls it when it starts; `overrides` are those of the run in flight.
        """
        mark = self.in_flight
        if mark is None or mark.attempts <= retries:
            return self
        message = f"its worker died in each of {mark.attempts} tries: out of memory, a crash of Blender or a lost node"
        failure = FailedRun(number=mark.run, overrides=overrides, reason=WORKER_DIED, message=message)
        return self.add_failure(failure, RunUsage())

    def mark_in_flight(self, run: int) -> BatchDocument:
        """Return the document with the in-flight mark of a run that is about to start."""
        mark = self.in_flight
        tries = mark.attempts + 1 if mark is not None and mark.run == run else 1
        return self.model_copy(update={"in_flight": InFlight(run=run, attempts=tries)})

    def clear_mark(self, lost: RunUsage) -> BatchDocument:
        """Return the document without the mark: a run that SIGTERM stops does not count as a try."""
        return self.model_copy(
            update={"in_flight": None, "gpu_seconds_lost": self.gpu_seconds_lost + lost.gpu_seconds},
        )

    def add_success(self, usage: RunUsage) -> BatchDocument:
        """Return the document with one more succeeded run."""
        return self._add_usage(usage).model_copy(
            update={
                "in_flight": None,
                "succeeded": self.succeeded + 1,
                "gpu_seconds_used": self.gpu_seconds_used + usage.gpu_seconds,
            }
        )

    def add_failure(self, failure: FailedRun, usage: RunUsage) -> BatchDocument:
        """Return the document with one more failed run."""
        return self._add_usage(usage).model_copy(
            update={
                "in_flight": None,
                "failures": (*self.failures, failure),
                "gpu_seconds_lost": self.gpu_seconds_lost + usage.gpu_seconds,
            }
        )

    def to_message(self, engine_version: int, problem: Problem | None = None) -> BatchMessage:
        """Return the termination message of the batch."""
        return BatchMessage(
            batch=self.batch,
            size=self.size,
            succeeded=self.succeeded,
            failed=len(self.failures),
            failures=tuple(map(to_run_failure, self.failures)),
            reasons=count_reasons(self.failures),
            seconds={stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            gpu_seconds_used=round(self.gpu_seconds_used, 3),
            gpu_seconds_lost=round(self.gpu_seconds_lost, 3),
            bytes=self.bytes,
            engine_version=engine_version,
            problem=problem,
        )

    def _add_usage(self, usage: RunUsage) -> BatchDocument:
        seconds = {
            stage: self.seconds.get(stage, 0.0) + usage.seconds.get(stage, 0.0)
            for stage in (*self.seconds, *(stage for stage in usage.seconds if stage not in self.seconds))
        }
        return self.model_copy(update={"seconds": seconds, "bytes": self.bytes + usage.bytes})


def to_run_failure(failure: FailedRun) -> RunFailure:
    """Return a failed run as an entry of a sweep's status."""
    return RunFailure(run=failure.number, overrides=failure.overrides, reason=failure.reason, message=failure.message)


def count_reasons(failures: tuple[FailedRun, ...]) -> dict[str, int]:
    """Count failed runs by reason, sorted by name."""
    reasons = [failure.reason for failure in failures]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}
