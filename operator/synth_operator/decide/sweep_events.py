"""Events: what is worth telling when a status changes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from synth_api.canonical_json import canonical_json
from synth_api.jobs.batches import Batches
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_api.sentences import clean
from synth_operator.decide.actions import EmitEvent
from synth_operator.decide.limits import runs
from synth_operator.decide.outcome import ready_message, ready_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.resources.synth_sweep import RunFailure
    from synth_operator.kube.sweep_object import SweepObject

_LONGEST: Final = 1000

News = tuple[Literal["Normal", "Warning"], str, str]


def events(sweep: SweepObject, after: SweepStatus) -> tuple[EmitEvent, ...]:
    """One Event for each thing that changed.

    They are sent before the status is written. Their names come from the status before: whoever sends them again, after
    a crash between the two, finds them there, so nothing is told twice and nothing is left out.
    """
    before = sweep.status
    return tuple(
        EmitEvent(_name(sweep, reason), kind, reason, clean(message, _LONGEST))
        for kind, reason, message in _news(sweep, before, after)
    )


def _name(sweep: SweepObject, reason: str) -> str:
    told = [sweep.uid, reason, sweep.status.model_dump(mode="json")]
    return f"{sweep.name}.{sha256(canonical_json(told)).hexdigest()[:16]}"


def _news(sweep: SweepObject, before: SweepStatus, after: SweepStatus) -> Iterator[News]:
    if _hash(after) != _hash(before):
        yield _begun(before, after)
    yield from _planned(before, after)
    if after.runs.failed and (not before.runs.failed or _hash(after) != _hash(before)):
        yield "Warning", "RunsFailed", _failures(after)
    yield from _phase(sweep, before, after)


def _begun(before: SweepStatus, after: SweepStatus) -> News:
    text = ready_message(after)
    if after.attempt and after.attempt.stale:
        return "Warning", Reason.PLAN_STALE, text
    if before.plan and before.plan != after.plan:
        return "Normal", Reason.SUPERSEDED, "What is to be rendered has changed; planning anew. Finished runs stay."
    if before.attempt:
        return "Normal", Reason.PLANNING, "Trying again; planning what is left to do."
    return "Normal", Reason.PLANNING, f"Planning {runs(after.runs.total)}."


def _planned(before: SweepStatus, after: SweepStatus) -> Iterator[News]:
    attempt = after.attempt
    if attempt is None or attempt.todo is None:
        return
    if _hash(before) == _hash(after) and before.attempt and before.attempt.todo is not None:
        return
    parts = Batches(attempt.todo, max(1, attempt.batch_size)).count
    work = (
        f"{attempt.todo} to render in {parts} {'batch' if parts == 1 else 'batches'}"
        if attempt.todo
        else "none to render"
    )
    yield "Normal", Reason.PLANNED, f"Planned {runs(after.runs.total)}: {after.runs.cached} exist, {work}."


def _phase(sweep: SweepObject, before: SweepStatus, after: SweepStatus) -> Iterator[News]:
    reason, message = ready_reason(after), ready_message(after)
    same = after.phase is before.phase and reason is ready_reason(before)
    if same or reason is None:
        return
    if before.phase is Phase.SUSPENDED and not sweep.spec.suspend:
        yield "Normal", Reason.RESUMED, "Resumed."
    match after.phase:
        case Phase.RENDERING | Phase.FINALIZING | Phase.SUSPENDED:
            yield "Normal", reason, message
        case Phase.COMPLETE:
            yield "Normal", reason, message
        case Phase.FAILED:
            yield "Warning", reason, message
        case Phase.WAITING | Phase.DELETING if reason is not Reason.DELETING:
            yield "Normal" if reason is Reason.QUEUED else "Warning", reason, message
        case _:
            pass


def _failures(status: SweepStatus) -> str:
    by_reason = ", ".join(f"{count.runs} {count.reason}" for count in status.failure_reasons)
    first = f" The first is {_told(status.failures[0])}" if status.failures else ""
    return f"{runs(status.runs.failed)} failed so far: {by_reason or 'reasons unknown'}.{first}"


def _told(failure: RunFailure) -> str:
    where = ", ".join(f"{path}={value}" for path, value in failure.overrides.items())
    return f"run {failure.run} ({where}): {failure.message}" if where else f"run {failure.run}: {failure.message}"


def _hash(status: SweepStatus) -> str:
    return status.attempt.hash if status.attempt else ""
