"""Batch documents: progress of a batch over all its pods. The pod of the batch writes them, finalize reads them."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, model_validator

from synth_api.jobs.messages import MAX_LISTED_DEVICES, BatchMessage, Problem
from synth_api.resources.synth_sweep import RunFailure
from synth_dataset.documents.document import Document
from synth_dataset.documents.failed_run import FailedRun

WORKER_DIED = "WorkerDied"


class InFlight(Document):
    """In-flight mark, written before a try; a pod that finds it knows that the previous pod died during the run."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    run: int
    attempts: int = Field(alias="try")
    """Number of the try, from 1."""


class Suspect(Document):
    """A run that has not ended and may end its worker again: it is rendered while no other is."""

    run: int
    deaths: int
    """Workers that it has ended; those that another run may have ended do not count."""


class RunUsage(Document):
    """Resources that one run has used."""

    seconds: dict[str, float] = Field(default={})
    """Seconds by stage of the run."""
    gpu_seconds: float = 0.0
    bytes: int = 0


class BatchDocument(Document):
    """`batches/<index>.json`: what has become of the runs of a batch."""

    batch: int
    size: int
    """Number of runs of the batch."""
    in_flight: tuple[InFlight, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    ended: tuple[tuple[int, int], ...] = ()
    """Positions in the batch of the ended runs: ranges `[first, end)`, ascending, with gaps between them."""
    succeeded: int = 0
    """Number of runs rendered or found in the store."""
    failures: tuple[FailedRun, ...] = ()
    seconds: dict[str, float] = Field(default={})
    """Seconds by stage, summed over runs."""
    gpu_seconds_used: float = 0.0
    gpu_seconds_lost: float = 0.0
    gpu_seconds_startup: float = 0.0
    """GPU seconds of pods before their first run."""
    devices: tuple[str, ...] = ()
    """The first kinds of GPUs: `NVIDIA H200 (sm_90), CUDA`."""
    bytes: int = 0

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_release(cls, data: Any) -> Any:
        """Read a document of a release whose pods rendered one run at a time, in order."""
        if not isinstance(data, dict) or "ended" in data or "in_flight" not in data:
            return data
        mark, ended = data["in_flight"], data.get("succeeded", 0) + len(data.get("failures", ()))
        if mark is not None and not isinstance(mark, dict):
            return data
        return {**data, "in_flight": [mark] if mark else [], "ended": [[0, ended]] if ended else []}

    @property
    def ended_runs(self) -> int:
        """Number of ended runs."""
        return self.succeeded + len(self.failures)

    def list_open_positions(self) -> list[int]:
        """Return the positions in the batch of the runs that have not ended."""
        ended = {position for first, end in self.ended for position in range(first, end)}
        return [position for position in range(self.size) if position not in ended]

    def take_over(self) -> BatchDocument:
        """Return the document as a new pod begins: without marks, its suspects known.

        The death of the previous pod counts against a run that was alone in flight. Of several, any may have caused it.
        """
        own_deaths = 1 if len(self.in_flight) == 1 else 0
        found = [Suspect(run=mark.run, deaths=mark.attempts - 1 + own_deaths) for mark in self.in_flight]
        return self.model_copy(update={"in_flight": (), "suspects": (*found, *self.suspects)})

    def mark_in_flight(self, run: int) -> BatchDocument:
        """Return the document with the in-flight mark of a run that is about to start."""
        mark = InFlight(run=run, attempts=1 + self._count_deaths(run))
        document = self._forget_run(run)
        return document.model_copy(update={"in_flight": (*document.in_flight, mark)})

    def add_death(self, run: int, deaths: int, lost: RunUsage) -> BatchDocument:
        """Return the document after the death of a run's worker; `deaths` are those that count against the run."""
        document = self._forget_run(run)._add_loss(lost)
        return document.model_copy(update={"suspects": (*document.suspects, Suspect(run=run, deaths=deaths))})

    def clear_mark(self, run: int, lost: RunUsage) -> BatchDocument:
        """Return the document without a run's mark: a try that its pod drops does not count."""
        deaths = self._count_deaths(run)
        return self.add_death(run, deaths, lost) if deaths else self._forget_run(run)._add_loss(lost)

    def set_aside(self, run: int) -> BatchDocument:
        """Return the document without a run that is rendered but not in the store yet: not in flight and not ended."""
        return self._forget_run(run)

    def add_success(self, run: int, position: int, usage: RunUsage) -> BatchDocument:
        """Return the document with one more succeeded run."""
        document = self._end_run(run, position, usage)
        used = self.gpu_seconds_used + usage.gpu_seconds
        return document.model_copy(update={"succeeded": self.succeeded + 1, "gpu_seconds_used": used})

    def add_failure(self, failure: FailedRun, position: int, usage: RunUsage) -> BatchDocument:
        """Return the document with one more failed run."""
        document = self._end_run(failure.number, position, usage)._add_loss(usage)
        return document.model_copy(update={"failures": (*self.failures, failure)})

    def fail_suspect(self, suspect: Suspect, position: int, overrides: dict[str, Any]) -> BatchDocument:
        """Return the document with a suspect recorded as failed because it ended too many workers."""
        failure = FailedRun(
            number=suspect.run, overrides=overrides, reason=WORKER_DIED, message=describe_deaths(suspect.deaths)
        )
        return self.add_failure(failure, position, RunUsage())

    def add_startup(self, device: str, gpu_seconds: float) -> BatchDocument:
        """Return the document after the start-up of a pod, on GPUs of one kind; empty if it did not succeed."""
        known = dict.fromkeys((*self.devices, device) if device else self.devices)
        return self.model_copy(
            update={
                "devices": tuple(known)[:MAX_LISTED_DEVICES],
                "gpu_seconds_startup": self.gpu_seconds_startup + gpu_seconds,
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
            gpu_seconds_startup=round(self.gpu_seconds_startup, 3),
            devices=self.devices,
            bytes=self.bytes,
            engine_version=engine_version,
            problem=problem,
        )

    def _count_deaths(self, run: int) -> int:
        """Return the deaths that count against a run."""
        known = {suspect.run: suspect.deaths for suspect in self.suspects}
        known |= {mark.run: mark.attempts - 1 for mark in self.in_flight}
        return known.get(run, 0)

    def _forget_run(self, run: int) -> BatchDocument:
        """Return the document in which a run is neither in flight nor a suspect."""
        return self.model_copy(
            update={
                "in_flight": tuple(mark for mark in self.in_flight if mark.run != run),
                "suspects": tuple(suspect for suspect in self.suspects if suspect.run != run),
            }
        )

    def _end_run(self, run: int, position: int, usage: RunUsage) -> BatchDocument:
        ended = _add_to_ranges(self.ended, position)
        return self._forget_run(run)._add_usage(usage).model_copy(update={"ended": ended})

    def _add_loss(self, lost: RunUsage) -> BatchDocument:
        return self.model_copy(update={"gpu_seconds_lost": self.gpu_seconds_lost + lost.gpu_seconds})

    def _add_usage(self, usage: RunUsage) -> BatchDocument:
        seconds = {
            stage: self.seconds.get(stage, 0.0) + usage.seconds.get(stage, 0.0)
            for stage in (*self.seconds, *(stage for stage in usage.seconds if stage not in self.seconds))
        }
        return self.model_copy(update={"seconds": seconds, "bytes": self.bytes + usage.bytes})


def describe_deaths(deaths: int) -> str:
    """Return the message of a run that ended its worker in each of its tries."""
    return f"its worker died in each of {deaths} tries: out of memory, a crash of Blender or a lost node"


def _add_to_ranges(ranges: tuple[tuple[int, int], ...], position: int) -> tuple[tuple[int, int], ...]:
    """Return ascending ranges `[first, end)` with one position more."""
    merged: list[tuple[int, int]] = []
    for first, end in sorted((*ranges, (position, position + 1))):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((first, end))
    return tuple(merged)


def to_run_failure(failure: FailedRun) -> RunFailure:
    """Return a failed run as an entry of a sweep's status."""
    return RunFailure(run=failure.number, overrides=failure.overrides, reason=failure.reason, message=failure.message)


def count_reasons(failures: tuple[FailedRun, ...]) -> dict[str, int]:
    """Count failed runs by reason, sorted by name."""
    reasons = [failure.reason for failure in failures]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}
