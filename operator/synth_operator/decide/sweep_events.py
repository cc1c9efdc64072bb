"""Events about a sweep: one for each change of its status that users should see."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from synth_api.canonical_json import canonical_json
from synth_api.jobs.batches import Batches
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_api.sentences import clean
from synth_operator.decide.actions import EmitEvent
from synth_operator.decide.limits import format_runs
from synth_operator.decide.outcome import find_ready_message, find_ready_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.resources.synth_sweep import RunFailure
    from synth_operator.kube.sweep_object import SweepObject

_MAX_MESSAGE_LENGTH: Final = 1000
"""Characters of a message."""


class _EventText(NamedTuple):
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def build_events(sweep: SweepObject, status: SweepStatus) -> tuple[EmitEvent, ...]:
    """Return one Event for each change from the sweep's status to the new one.

    They are created before the status is written, and their names are a hash of the status before. So after a crash
    between the two the next pass creates the same names: no Event is lost, none appears twice.
    """
    return tuple(
        EmitEvent(_hash_name(sweep, event.reason), event.type, event.reason, clean(event.message, _MAX_MESSAGE_LENGTH))
        for event in _list_changes(sweep, sweep.status, status)
    )


def _hash_name(sweep: SweepObject, reason: str) -> str:
    content = [sweep.uid, reason, sweep.status.model_dump(mode="json")]
    return f"{sweep.name}.{sha256(canonical_json(content)).hexdigest()[:16]}"


def _list_changes(sweep: SweepObject, before: SweepStatus, after: SweepStatus) -> Iterator[_EventText]:
    if _attempt_hash(after) != _attempt_hash(before):
        yield _describe_start(before, after)
    yield from _describe_plan(before, after)
    if after.runs.failed and (not before.runs.failed or _attempt_hash(after) != _attempt_hash(before)):
        yield _EventText("Warning", "RunsFailed", _format_failures(after))
    yield from _describe_phase(sweep, before, after)


def _describe_start(before: SweepStatus, after: SweepStatus) -> _EventText:
    if after.attempt and after.attempt.stale:
        return _EventText("Warning", Reason.PLAN_STALE, find_ready_message(after))
    if before.plan and before.plan != after.plan:
        message = "The runs to render have changed; planning again. Finished runs are kept."
        return _EventText("Normal", Reason.SUPERSEDED, message)
    if before.attempt:
        return _EventText("Normal", Reason.PLANNING, "Trying again: planning the remaining runs.")
    return _EventText("Normal", Reason.PLANNING, f"Planning {format_runs(after.runs.total)}.")


def _describe_plan(before: SweepStatus, after: SweepStatus) -> Iterator[_EventText]:
    attempt = after.attempt
    if attempt is None or attempt.todo is None:
        return
    if _attempt_hash(before) == _attempt_hash(after) and before.attempt and before.attempt.todo is not None:
        return
    batches = Batches(attempt.todo, max(1, attempt.batch_size)).count
    work = (
        f"{attempt.todo} to render in {batches} {'batch' if batches == 1 else 'batches'}"
        if attempt.todo
        else "none to render"
    )
    message = f"Planned {format_runs(after.runs.total)}: {after.runs.cached} exist, {work}."
    yield _EventText("Normal", Reason.PLANNED, message)


def _describe_phase(sweep: SweepObject, before: SweepStatus, after: SweepStatus) -> Iterator[_EventText]:
    reason, message = find_ready_reason(after), find_ready_message(after)
    unchanged = after.phase is before.phase and reason is find_ready_reason(before)
    if unchanged or reason is None:
        return
    if before.phase is Phase.SUSPENDED and not sweep.spec.suspend:
        yield _EventText("Normal", Reason.RESUMED, "Resumed.")
    match after.phase:
        case Phase.RENDERING | Phase.FINALIZING | Phase.SUSPENDED | Phase.COMPLETE:
            yield _EventText("Normal", reason, message)
        case Phase.FAILED:
            yield _EventText("Warning", reason, message)
        case Phase.WAITING | Phase.DELETING if reason is not Reason.DELETING:
            yield _EventText("Normal" if reason in (Reason.QUEUED, Reason.LIMITED) else "Warning", reason, message)
        case _:
            pass


def _format_failures(status: SweepStatus) -> str:
    by_reason = ", ".join(f"{count.runs} {count.reason}" for count in status.failure_reasons)
    first = f" The first is {_format_failure(status.failures[0])}" if status.failures else ""
    return f"{format_runs(status.runs.failed)} failed so far: {by_reason or 'reasons unknown'}.{first}"


def _format_failure(failure: RunFailure) -> str:
    overrides = ", ".join(f"{path}={value}" for path, value in failure.overrides.items())
    run = f"run {failure.run} ({overrides})" if overrides else f"run {failure.run}"
    return f"{run}: {failure.message}"


def _attempt_hash(status: SweepStatus) -> str:
    return status.attempt.hash if status.attempt else ""
