"""What a pass concludes: how the sweep stands, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.actions import Action
    from synth_operator.decide.context import View


@dataclass(frozen=True)
class Conclusion:
    """`status` with its phase and counts; conditions are made from `reason` and `message` at the end."""

    status: SweepStatus
    reason: Reason
    message: str
    actions: tuple[Action, ...] = ()
    after: float | None = None
    """Seconds after which to look again even when nothing happens."""

    def within(self, seconds: float | None) -> Conclusion:
        """The same, looking again no later than that."""
        times = [time for time in (self.after, seconds) if time is not None]
        return replace(self, after=min(times, default=None))


def changed(status: SweepStatus, **values: Any) -> SweepStatus:
    """A status with other values."""
    return status.model_copy(update=values)


def concluded(
    status: SweepStatus,
    phase: Phase,
    reason: Reason,
    message: str,
    actions: tuple[Action, ...] = (),
    after: float | None = None,
) -> Conclusion:
    """The sweep is in a phase and waits for nothing outside."""
    return Conclusion(changed(status, phase=phase, waiting_since=None), reason, message, actions, after)


def waiting(
    view: View,
    status: SweepStatus,
    problem: Problem,
    actions: tuple[Action, ...] = (),
    after: float | None = None,
    phase: Phase = Phase.WAITING,
) -> Conclusion:
    """The sweep waits for something outside; since when, counts from the first pass that found the reason.

    The sentence stays the one that was found first: Kubernetes' own change all the time.
    """
    since, message = view.now, problem.message
    if is_waiting_for(view.before, problem.reason):
        since = view.before.waiting_since or since
        if view.before.observed_generation == view.sweep.generation:
            message = ready_message(view.before) or message
    return Conclusion(changed(status, phase=phase, waiting_since=since), problem.reason, message, actions, after)


def is_waiting_for(status: SweepStatus, reason: Reason) -> bool:
    """Whether the status says so."""
    return status.waiting_since is not None and ready_reason(status) is reason


def ready_reason(status: SweepStatus) -> Reason | None:
    """Why the sweep is ready, or is not."""
    return next((condition.reason for condition in status.conditions if condition.type == "Ready"), None)


def ready_message(status: SweepStatus) -> str:
    """The sentence beside it."""
    return next((condition.message for condition in status.conditions if condition.type == "Ready"), "")


def suspended(status: SweepStatus, actions: tuple[Action, ...] = ()) -> Conclusion:
    """Nothing is begun until the sweep is resumed; what is finished stays."""
    text = "Suspended; finished runs stay. Set spec.suspend to false to go on."
    status = changed(status, runs=status.runs.model_copy(update={"active": 0}))
    return concluded(status, Phase.SUSPENDED, Reason.SUSPENDED, text, actions)
