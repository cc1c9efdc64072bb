"""Conditions of a sweep, for kstatus, `kubectl wait` and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import Context
    from synth_operator.decide.outcome import Outcome

_IN_PROGRESS: Final = (
    Phase.PENDING,
    Phase.PLANNING,
    Phase.WAITING,
    Phase.RENDERING,
    Phase.FINALIZING,
    Phase.DELETING,
)


class ConditionState(NamedTuple):
    """A condition without its generation and times."""

    type: ConditionType
    is_true: bool
    reason: Reason
    message: str


def build_conditions(context: Context, outcome: Outcome) -> tuple[Condition, ...]:
    """Return the conditions of an outcome."""
    previous = context.previous_status.conditions
    return renew_conditions(previous, _list_states(outcome), context.sweep.generation, context.now)


def renew_conditions(
    previous: Iterable[Condition], states: Iterable[ConditionState], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """Return the conditions in these states; `lastTransitionTime` changes only with a condition's status."""
    known = {condition.type: condition for condition in previous}
    return tuple(_renew_condition(known.get(state.type), state, generation, now) for state in states)


def _renew_condition(previous: Condition | None, state: ConditionState, generation: int, now: datetime) -> Condition:
    status: Literal["True", "False"] = "True" if state.is_true else "False"
    unchanged = previous and previous.status == status
    return Condition(
        type=state.type,
        status=status,
        reason=state.reason,
        message=state.message,
        observed_generation=generation,
        last_transition_time=previous.last_transition_time if previous and unchanged else now,
    )


def _list_states(outcome: Outcome) -> Iterator[ConditionState]:
    """Yield `Ready` always, the others only while they are true. `Stalled` excludes `Reconciling`.

    A suspended sweep has neither: kstatus reports it as in progress, since its dataset does not exist yet.
    """
    status, reason, message = outcome.status, outcome.reason, outcome.message
    phase = status.phase
    yield ConditionState(ConditionType.READY, phase is Phase.COMPLETE, reason, message)
    if phase is Phase.FAILED or (phase is Phase.WAITING and reason.retry_helps is False):
        yield ConditionState(ConditionType.STALLED, True, reason, message)
    elif phase in _IN_PROGRESS:
        yield ConditionState(ConditionType.RECONCILING, True, reason, message)
    if status.attempt and status.attempt.todo is not None:
        yield ConditionState(ConditionType.PLANNED, True, Reason.PLANNED, _format_plan(status, status.attempt.todo))
    if phase is Phase.RENDERING:
        yield ConditionState(ConditionType.PROGRESSING, True, reason, "")
    if phase is Phase.SUSPENDED:
        yield ConditionState(ConditionType.SUSPENDED, True, reason, "")
    if phase is Phase.COMPLETE:
        yield ConditionState(ConditionType.COMPLETE, True, Reason.COMPLETE, "")
    if phase is Phase.FAILED:
        yield ConditionState(ConditionType.FAILED, True, reason, message)


def _format_plan(status: SweepStatus, todo: int) -> str:
    return f"{status.runs.total} runs, {todo} to render."
