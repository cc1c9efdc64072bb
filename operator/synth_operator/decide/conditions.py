"""Conditions of a conclusion: what kstatus, `kubectl wait` and people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_operator.decide.outcome import changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_operator.decide.context import View
    from synth_operator.decide.outcome import Conclusion

_AT_WORK: Final = (Phase.PENDING, Phase.PLANNING, Phase.RENDERING, Phase.FINALIZING, Phase.DELETING)

Said = tuple[ConditionType, bool, Reason, str]


def conditioned(view: View, conclusion: Conclusion) -> SweepStatus:
    """The conclusion's status with its conditions; times of transition stay where a condition's status does."""
    before = {condition.type: condition for condition in view.before.conditions}
    conditions = []
    for kind, holds, reason, message in _said(conclusion):
        status = "True" if holds else "False"
        known = before.get(kind)
        since = known.last_transition_time if known and known.status == status else view.now
        conditions.append(
            Condition(
                type=kind,
                status="True" if holds else "False",
                reason=reason,
                message=message,
                observed_generation=view.sweep.generation,
                last_transition_time=since,
            )
        )
    return changed(conclusion.status, conditions=tuple(conditions), observed_generation=view.sweep.generation)


def _said(conclusion: Conclusion) -> Iterator[Said]:
    """Ready always; the others only while they tell something. `Stalled` is never true beside `Reconciling`.

    A suspended sweep is neither: kstatus takes it for in progress, since its dataset is not there yet.
    """
    status, reason, message = conclusion.status, conclusion.reason, conclusion.message
    phase = status.phase
    yield ConditionType.READY, phase is Phase.COMPLETE, reason, message
    stalled = phase is Phase.FAILED or (phase is Phase.WAITING and reason.retry_helps is False)
    if stalled:
        yield ConditionType.STALLED, True, reason, message
    elif phase in (*_AT_WORK, Phase.WAITING):
        yield ConditionType.RECONCILING, True, reason, message
    if status.attempt and status.attempt.todo is not None:
        yield ConditionType.PLANNED, True, Reason.PLANNED, _planned(status)
    if phase is Phase.RENDERING:
        yield ConditionType.PROGRESSING, True, reason, ""
    if phase is Phase.SUSPENDED:
        yield ConditionType.SUSPENDED, True, reason, ""
    if phase is Phase.COMPLETE:
        yield ConditionType.COMPLETE, True, Reason.COMPLETE, ""
    if phase is Phase.FAILED:
        yield ConditionType.FAILED, True, reason, message


def _planned(status: SweepStatus) -> str:
    todo = status.attempt.todo if status.attempt else 0
    return f"{status.runs.total} runs, {todo} to render."
