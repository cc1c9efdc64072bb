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
    from collections.abc import Iterable, Iterator

    from synth_api.resources.synth_sweep import RunFailure
    from synth_operator.kube.owner import Owner
    from synth_operator.kube.sweep_object import SweepObject

_MAX_MESSAGE_LENGTH: Final = 1000
"""Characters of a message."""


class EventText(NamedTuple):
    """Type, reason and message of an Event."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def build_events(sweep: SweepObject, status: SweepStatus) -> tuple[EmitEvent, ...]:
    """Return one Event for each change from the sweep's status to the new one."""
    return name_events(sweep, _list_changes(sweep, sweep.status, status))


def name_events(owner: Owner, events: Iterable[EventText]) -> tuple[EmitEvent, ...]:
    """Return the Events about changes of the owner's status.

    They are created before the status is written, and their names are a hash of the status before. So after a crash
    between the two the next pass creates the same names: no Event is lost, none appears twice.
    """
    return tuple(
        EmitEvent(_hash_name(owner, event.reason), event.type, event.reason, clean(event.message, _MAX_MESSAGE_LENGTH))
        for event in events
    )


def _hash_name(owner: Owner, reason: str) -> str:
    content = [owner.uid, reason, owner.status.model_dump(mode="json")]
    return f"{owner.name}.{sha256(canonical_json(content)).hexdigest()[:16]}"


def _list_changes(sweep: SweepObject, before: SweepStatus, after: SweepStatus) -> Iterator[EventText]:
    if after.attempt_hash != before.attempt_hash:
        yield _describe_start(before, after)
    yield from _describe_plan(before, after)
    if after.runs.failed and (not before.runs.failed or after.attempt_hash != before.attempt_hash):
        yield EventText("Warning", "RunsFailed", _format_failures(after))
    yield from _describe_phase(sweep, before, after)


def _describe_start(before: SweepStatus, after: SweepStatus) -> EventText:
    if after.attempt and after.attempt.stale:
        return EventText("Warning", Reason.PLAN_STALE, find_ready_message(after))
    if before.plan and before.plan != after.plan:
        message = "The runs to render have changed; planning again. Finished runs are kept."
        return EventText("Normal", Reason.SUPERSEDED, message)
    if before.attempt:
        return EventText("Normal", Reason.PLANNING, "Trying again: planning the remaining runs.")
    return EventText("Normal", Reason.PLANNING, f"Planning {format_runs(after.runs.total)}.")


def _describe_plan(before: SweepStatus, after: SweepStatus) -> Iterator[EventText]:
    attempt = after.attempt
    if attempt is None or attempt.todo is None:
        return
    if before.attempt_hash == after.attempt_hash and before.attempt and before.attempt.todo is not None:
        return
    batches = Batches(attempt.todo, max(1, attempt.batch_size)).count
    work = (
        f"{attempt.todo} to render in {batches} {'batch' if batches == 1 else 'batches'}"
        if attempt.todo
        else "none to render"
    )
    message = f"Planned {format_runs(after.runs.total)}: {after.runs.cached} exist, {work}."
    yield EventText("Normal", Reason.PLANNED, message)


def _describe_phase(sweep: SweepObject, before: SweepStatus, after: SweepStatus) -> Iterator[EventText]:
    reason, message = find_ready_reason(after), find_ready_message(after)
    unchanged = after.phase is before.phase and reason is find_ready_reason(before)
    if unchanged or reason is None:
        return
    if before.phase is Phase.SUSPENDED and not sweep.spec.suspend:
        yield EventText("Normal", Reason.RESUMED, "Resumed.")
    match after.phase:
        case Phase.RENDERING | Phase.FINALIZING | Phase.SUSPENDED | Phase.COMPLETE:
            yield EventText("Normal", reason, message)
        case Phase.FAILED:
            yield EventText("Warning", reason, message)
        case Phase.WAITING | Phase.DELETING if reason is not Reason.DELETING:
            yield EventText("Normal" if reason in (Reason.QUEUED, Reason.LIMITED) else "Warning", reason, message)
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
