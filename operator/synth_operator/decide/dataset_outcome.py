"""Outcome of a pass over a dataset: status, conditions and Events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType
from synth_api.resources.synth_dataset import BuildStatus, DatasetPhase, DatasetStatus, ExportAddress, SplitCount
from synth_operator.decide.actions import Action, RequeueAfter, WriteStatus
from synth_operator.decide.conditions import ConditionState, renew_conditions
from synth_operator.decide.outcome import find_ready_message, find_ready_reason, is_waiting_for
from synth_operator.decide.sweep_events import EventText, name_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.resources.base import Time
    from synth_api.resources.conditions import Condition, Problem
    from synth_operator.decide.dataset_context import DatasetContext

SOURCE_REASONS: Final = (Reason.SOURCE_NOT_FOUND, Reason.SOURCE_NOT_COMPLETE)
"""Reasons to wait for the sweeps."""
_IN_PROGRESS: Final = (
    DatasetPhase.PENDING,
    DatasetPhase.WAITING,
    DatasetPhase.EXPORTING,
    DatasetPhase.PUBLISHING,
    DatasetPhase.DELETING,
)


class DatasetFields(TypedDict, total=False):
    """Fields of DatasetStatus that a pass replaces, typed as in the model."""

    observed_generation: int
    phase: DatasetPhase
    conditions: tuple[Condition, ...]
    version: str
    definition: str
    runs: int | None
    splits: tuple[SplitCount, ...]
    split_runs: str
    root: str
    exports: tuple[ExportAddress, ...]
    formats: str
    dataset: str
    publication_time: Time | None
    waiting_since: Time | None
    build: BuildStatus | None


def update_dataset(status: DatasetStatus, **fields: Unpack[DatasetFields]) -> DatasetStatus:
    """Return a copy of the status with these fields replaced."""
    return status.model_copy(update=fields)


@dataclass(frozen=True)
class DatasetOutcome:
    """`status` has the new phase; its conditions follow from `reason` and `message`."""

    status: DatasetStatus
    reason: Reason
    message: str
    actions: tuple[Action, ...] = ()
    requeue_after: float | None = None
    """Seconds until the next pass even without an event; None: no such pass."""


def build_dataset_outcome(
    status: DatasetStatus, phase: DatasetPhase, reason: Reason, message: str, actions: tuple[Action, ...] = ()
) -> DatasetOutcome:
    """Return the outcome of a dataset that waits for nothing outside."""
    return DatasetOutcome(update_dataset(status, phase=phase, waiting_since=None), reason, message, actions)


def build_waiting_dataset(
    context: DatasetContext,
    status: DatasetStatus,
    problem: Problem,
    actions: tuple[Action, ...] = (),
    requeue_after: float | None = None,
    phase: DatasetPhase = DatasetPhase.WAITING,
) -> DatasetOutcome:
    """Return the outcome of a dataset that waits for something outside, since the first pass with this reason.

    The message of that first pass is kept, since those of Kubernetes vary, unless it names a source.
    """
    waits = is_waiting_for(context.previous_status, problem.reason)
    since = (context.previous_status.waiting_since if waits else None) or context.now
    same_spec = context.previous_status.observed_generation == context.dataset.generation
    keeps_message = waits and same_spec and problem.reason not in SOURCE_REASONS
    message = (find_ready_message(context.previous_status) if keeps_message else "") or problem.message
    waiting = update_dataset(status, phase=phase, waiting_since=since)
    return DatasetOutcome(waiting, problem.reason, message, actions, requeue_after)


def list_actions(context: DatasetContext, outcome: DatasetOutcome) -> tuple[Action, ...]:
    """Return Events, status and actions of an outcome, in the order in which they are applied."""
    previous, generation = context.previous_status, context.dataset.generation
    conditions = renew_conditions(previous.conditions, _list_states(outcome), generation, context.now)
    status = update_dataset(outcome.status, conditions=conditions, observed_generation=generation)
    return (
        *name_events(context.dataset, _list_changes(previous, status)),
        *((WriteStatus(status),) if status != previous else ()),
        *outcome.actions,
        *((RequeueAfter(outcome.requeue_after),) if outcome.requeue_after is not None else ()),
    )


def _list_states(outcome: DatasetOutcome) -> Iterator[ConditionState]:
    """Yield `Ready` always, the others only while they are true. `Stalled` excludes `Reconciling`."""
    phase, reason, message = outcome.status.phase, outcome.reason, outcome.message
    yield ConditionState(ConditionType.READY, phase is DatasetPhase.PUBLISHED, reason, message)
    if phase is DatasetPhase.FAILED:
        yield ConditionState(ConditionType.STALLED, True, reason, message)
    elif phase in _IN_PROGRESS:
        yield ConditionState(ConditionType.RECONCILING, True, reason, message)


def _list_changes(before: DatasetStatus, after: DatasetStatus) -> Iterator[EventText]:
    reason, message = find_ready_reason(after), find_ready_message(after)
    same_build = before.attempt_hash == after.attempt_hash
    if reason is None or (after.phase is before.phase and reason is find_ready_reason(before) and same_build):
        return
    match after.phase:
        case DatasetPhase.EXPORTING | DatasetPhase.PUBLISHING | DatasetPhase.PUBLISHED:
            yield EventText("Normal", reason, message)
        case DatasetPhase.WAITING if reason in (*SOURCE_REASONS, Reason.LIMITED):
            yield EventText("Normal", reason, message)
        case DatasetPhase.WAITING | DatasetPhase.FAILED:
            yield EventText("Warning", reason, message)
        case DatasetPhase.DELETING if reason is not Reason.DELETING:
            yield EventText("Warning", reason, message)
        case _:
            pass
