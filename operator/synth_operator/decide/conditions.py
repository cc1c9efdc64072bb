"""Conditions of a sweep, for kstatus, `kubectl wait` and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class _ConditionState(NamedTuple):
    """A condition without its generation and times."""

    type: ConditionType
    is_true: bool
    reason: Reason
    message: str


def build_conditions(context: Context, outcome: Outcome) -> tuple[Condition, ...]:
    """Return the conditions of an outcome; `lastTransitionTime` changes only with a condition's status."""
    previous = {condition.type: condition for condition in context.previous_status.conditions}
    return tuple(_build_condition(context, state, previous.get(state.type)) for state in _list_states(outcome))


def _build_condition(context: Context, state: _ConditionState, previous: Condition | None) -> Condition:
    status: Literal["True", "False"] = "True" if state.is_true else "False"
    unchanged = previous and previous.status == status
    return Condition(
        type=state.type,
        status=status,
        reason=state.reason,
        message=state.message,
        observed_generation=context.sweep.generation,
        last_transition_time=previous.last_transition_time if previous and unchanged else context.now,
    )


def _list_states(outcome: Outcome) -> Iterator[_ConditionState]:
    """Yield `Ready` always, the others only while they are true. `Stalled` excludes `Reconciling`.

    A suspended sweep has neither: kstatus reports it as in progress, since its dataset does not exist yet.
    """
    status, reason, message = outcome.status, outcome.reason, outcome.message
    phase = status.phase
    yield _ConditionState(ConditionType.READY, phase is Phase.COMPLETE, reason, message)
    if phase is Phase.FAILED or (phase is Phase.WAITING and reason.retry_helps is False):
        yield _ConditionState(ConditionType.STALLED, True, reason, message)
    elif phase in _IN_PROGRESS:
        yield _ConditionState(ConditionType.RECONCILING, True, reason, message)
    if status.attempt and status.attempt.todo is not None:
        yield _ConditionState(ConditionType.PLANNED, True, Reason.PLANNED, _format_plan(status, status.attempt.todo))
    if phase is Phase.RENDERING:
        yield _ConditionState(ConditionType.PROGRESSING, True, reason, "")
    if phase is Phase.SUSPENDED:
        yield _ConditionState(ConditionType.SUSPENDED, True, reason, "")
    if phase is Phase.COMPLETE:
        yield _ConditionState(ConditionType.COMPLETE, True, Reason.COMPLETE, "")
    if phase is Phase.FAILED:
        yield _ConditionState(ConditionType.FAILED, True, reason, message)


def _format_plan(status: SweepStatus, todo: int) -> str:
    return f"{status.runs.total} runs, {todo} to render."
