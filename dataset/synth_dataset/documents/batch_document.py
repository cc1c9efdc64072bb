"""A batch's document: how far its runs are, over all pods that worked on it. Its worker's until finalize reads it."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from synth_api.jobs.messages import BatchMessage, Problem
from synth_api.resources.synth_sweep import RunFailure
from synth_dataset.documents.document import Document
from synth_dataset.documents.failed_run import FailedRun

WORKER_DIED = "WorkerDied"


class InFlight(Document):
    """The mark that a worker leaves before a run; found by the next one, the run has killed its worker."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    run: int
    attempts: int = Field(alias="try")
    """Which try this is, from 1."""


class RunUsage(Document):
    """What one run has used."""

    seconds: dict[str, float] = Field(default={})
    """By stage."""
    gpu_seconds: float = 0.0
    bytes: int = 0


class BatchDocument(Document):
    """`batches/<index>.json`. Runs are worked off in order, so the runs that have ended are the first ones."""

    batch: int
    size: int
    """Runs of the batch."""
    in_flight: InFlight | None = None
    succeeded: int = 0
    """Runs rendered or found present."""
    failures: tuple[FailedRun, ...] = ()
    seconds: dict[str, float] = Field(default={})
    """By stage, over all runs."""
    gpu_seconds_used: float = 0.0
    gpu_seconds_lost: float = 0.0
    bytes: int = 0

    @property
    def ended(self) -> int:
        """Position of the next run in the batch."""
        return self.succeeded + len(self.failures)

    def opened(self, retries: int, overrides: dict[str, Any]) -> BatchDocument:
        """As a new worker finds it; `overrides` are those of the run in flight.

        A run found in flight more than `retries` times is recorded failed.
        """
        mark = self.in_flight
        if mark is None or mark.attempts <= retries:
            return self
        message = f"its worker died in each of {mark.attempts} tries: out of memory, a crash of Blender or a lost node"
        died = FailedRun(number=mark.run, overrides=overrides, reason=WORKER_DIED, message=message)
        return self.failed(died, RunUsage())

    def started(self, run: int) -> BatchDocument:
        """With the mark of the run that is about to begin."""
        mark = self.in_flight
        tries = mark.attempts + 1 if mark is not None and mark.run == run else 1
        return self.model_copy(update={"in_flight": InFlight(run=run, attempts=tries)})

    def stopped(self, lost: RunUsage) -> BatchDocument:
        """With the mark cleared: told to stop, nothing is held against the run."""
        return self.model_copy(
            update={"in_flight": None, "gpu_seconds_lost": self.gpu_seconds_lost + lost.gpu_seconds},
        )

    def exists(self, usage: RunUsage) -> BatchDocument:
        """One more run exists."""
        return self._used(usage).model_copy(
            update={
                "in_flight": None,
                "succeeded": self.succeeded + 1,
                "gpu_seconds_used": self.gpu_seconds_used + usage.gpu_seconds,
            }
        )

    def failed(self, failure: FailedRun, usage: RunUsage) -> BatchDocument:
        """One more run has failed."""
        return self._used(usage).model_copy(
            update={
                "in_flight": None,
                "failures": (*self.failures, failure),
                "gpu_seconds_lost": self.gpu_seconds_lost + usage.gpu_seconds,
            }
        )

    def message(self, engine_version: int, problem: Problem | None = None) -> BatchMessage:
        """What the operator is told."""
        return BatchMessage(
            batch=self.batch,
            size=self.size,
            succeeded=self.succeeded,
            failed=len(self.failures),
            failures=tuple(map(failure_entry, self.failures)),
            reasons=count_reasons(self.failures),
            seconds={stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            gpu_seconds_used=round(self.gpu_seconds_used, 3),
            gpu_seconds_lost=round(self.gpu_seconds_lost, 3),
            bytes=self.bytes,
            engine_version=engine_version,
            problem=problem,
        )

    def _used(self, usage: RunUsage) -> BatchDocument:
        seconds = {
            stage: self.seconds.get(stage, 0.0) + usage.seconds.get(stage, 0.0)
            for stage in (*self.seconds, *(stage for stage in usage.seconds if stage not in self.seconds))
        }
        return self.model_copy(update={"seconds": seconds, "bytes": self.bytes + usage.bytes})


def failure_entry(failure: FailedRun) -> RunFailure:
    """A failed run as a status shows it."""
    return RunFailure(run=failure.number, overrides=failure.overrides, reason=failure.reason, message=failure.message)


def count_reasons(failures: tuple[FailedRun, ...]) -> dict[str, int]:
    """Failed runs by reason, in the order of their names."""
    reasons = [failure.reason for failure in failures]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}
