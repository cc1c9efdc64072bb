"""Outcome of a pass: status, reason and message of `Ready`, actions, and the time of the next pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType, Problem
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.status_updates import update_runs, update_status

if TYPE_CHECKING:
    from synth_api.resources.synth_dataset import DatasetStatus
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.actions import Action
    from synth_operator.decide.context import Context


@dataclass(frozen=True)
class Outcome:
    """`status` has the new phase and counts; its conditions follow from `reason` and `message`."""

    status: SweepStatus
    reason: Reason
    message: str
    actions: tuple[Action, ...] = ()
    requeue_after: float | None = None
    """Seconds until the next pass even without an event; None: no such pass."""

    def requeue_within(self, seconds: float | None) -> Outcome:
        """Return the same outcome with the next pass no later than in `seconds`; None sets no limit."""
        times = [time for time in (self.requeue_after, seconds) if time is not None]
        return replace(self, requeue_after=min(times, default=None))


def build_outcome(
    status: SweepStatus,
    phase: Phase,
    reason: Reason,
    message: str,
    actions: tuple[Action, ...] = (),
    requeue_after: float | None = None,
) -> Outcome:
    """Return the outcome of a sweep that is in a phase and waits for nothing outside."""
    return Outcome(update_status(status, phase=phase, waiting_since=None), reason, message, actions, requeue_after)


def build_waiting_outcome(
    context: Context,
    status: SweepStatus,
    problem: Problem,
    actions: tuple[Action, ...] = (),
    requeue_after: float | None = None,
    phase: Phase = Phase.WAITING,
) -> Outcome:
    """Return the outcome of a sweep that waits for something outside, since the first pass with this reason.

    The message of that first pass is kept: those of Kubernetes vary from one try to the next.
    """
    since, message = context.now, problem.message
    if is_waiting_for(context.previous_status, problem.reason):
        since = context.previous_status.waiting_since or since
        if context.previous_status.observed_generation == context.sweep.generation:
            message = find_ready_message(context.previous_status) or message
    waiting = update_status(status, phase=phase, waiting_since=since)
    return Outcome(waiting, problem.reason, message, actions, requeue_after)


def build_limited_outcome(
    context: Context, status: SweepStatus, problem: Problem, actions: tuple[Action, ...] = ()
) -> Outcome:
    """Return the outcome of a sweep that waits for a limit of its namespace; its deadline begins again afterwards."""
    waits = is_waiting_for(context.previous_status, Reason.LIMITED)
    since = context.previous_status.waiting_since if waits else context.now
    waiting = update_status(status, phase=Phase.WAITING, waiting_since=since, start_time=None)
    return Outcome(waiting, problem.reason, problem.message, actions)


def build_suspended_outcome(status: SweepStatus, actions: tuple[Action, ...] = ()) -> Outcome:
    """Return the outcome of a suspended sweep: no run starts until it is resumed, finished runs are kept."""
    message = "Suspended; finished runs are kept. Set spec.suspend to false to resume."
    status = update_status(status, runs=update_runs(status.runs, active=0))
    return build_outcome(status, Phase.SUSPENDED, Reason.SUSPENDED, message, actions)


def is_waiting_for(status: SweepStatus | DatasetStatus, reason: Reason) -> bool:
    """Return True if the sweep or dataset waits, by its status, with this reason."""
    return status.waiting_since is not None and find_ready_reason(status) is reason


def find_ready_reason(status: SweepStatus | DatasetStatus) -> Reason | None:
    """Return the reason of the condition `Ready`; None without that condition."""
    condition = _find_ready(status)
    return condition.reason if condition else None


def find_ready_message(status: SweepStatus | DatasetStatus) -> str:
    """Return the message of the condition `Ready`; empty without that condition."""
    condition = _find_ready(status)
    return condition.message if condition else ""


def _find_ready(status: SweepStatus | DatasetStatus) -> Condition | None:
    return next((condition for condition in status.conditions if condition.type is ConditionType.READY), None)
