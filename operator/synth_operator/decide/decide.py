"""decide: the actions for a sweep, from the observed state. Pure: no clock, no request, no memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synth_api.resources.conditions import Problem
from synth_operator.decide.actions import Action, DeleteJob, PatchJob, RequeueAfter, WriteStatus
from synth_operator.decide.admission import admit_sweep
from synth_operator.decide.cleanup import decide_cleanup
from synth_operator.decide.conditions import build_conditions
from synth_operator.decide.context import Context
from synth_operator.decide.deletion import decide_deletion, decide_finalizers
from synth_operator.decide.finished import build_finished_outcome, is_finished
from synth_operator.decide.outcome import Outcome, build_waiting_outcome
from synth_operator.decide.progress import expire_forecast, throttle_progress
from synth_operator.decide.stages import continue_attempt, find_or_start_attempt
from synth_operator.decide.status_updates import update_runs, update_status
from synth_operator.decide.sweep_events import build_events

if TYPE_CHECKING:
    from datetime import datetime

    from synth_operator.configuration import Configuration
    from synth_operator.decide.observed_state import ObservedState
    from synth_operator.kube.sweep_object import SweepObject


def decide(
    sweep: SweepObject, observed: ObservedState, configuration: Configuration, now: datetime
) -> tuple[Action, ...]:
    """Return the actions of one pass, in the order in which they are applied.

    The status is written before anything that relies on it or destroys its source: an attempt is in the status before
    its first Job is created, and a Job's tally before the Job is deleted.
    """
    context = Context(sweep, observed, configuration, now.replace(microsecond=0))
    match _decide_outcome(context):
        case None:
            return ()
        case tuple() as actions:
            return actions
        case outcome:
            return _build_actions(context, outcome)


def _decide_outcome(context: Context) -> Outcome | tuple[Action, ...] | None:
    finalizers = decide_finalizers(context.sweep)
    if finalizers:
        return (finalizers,)
    if context.sweep.deleting:
        return decide_deletion(context)
    validation = admit_sweep(context.sweep, context.observed.validation, context.configuration)
    if is_finished(context, validation):
        return _add_cleanup(context, build_finished_outcome(context, validation))
    if isinstance(validation, Problem):
        return _add_cleanup(context, _wait_for_edit(context, validation), stopped=True)
    status = find_or_start_attempt(context, validation)
    outcome = continue_attempt(context, status, validation)
    return _add_cleanup(context, outcome.requeue_within(context.observed.allowance.check_after))


def _wait_for_edit(context: Context, problem: Problem) -> Outcome:
    """Return the outcome of a sweep with a problem, whose Jobs are deleted in the same pass."""
    previous = context.previous_status
    status = update_status(previous, completion_time=None, runs=update_runs(previous.runs, active=0))
    return build_waiting_outcome(context, status, problem)


def _add_cleanup(context: Context, outcome: Outcome, *, stopped: bool = False) -> Outcome:
    deletions, requeue_after = decide_cleanup(context, outcome.status, stopped=stopped)
    new = tuple(action for action in deletions if action not in outcome.actions)
    return replace(outcome, actions=(*outcome.actions, *new)).requeue_within(requeue_after)


def _build_actions(context: Context, outcome: Outcome) -> tuple[Action, ...]:
    previous = context.previous_status
    status = update_status(
        outcome.status,
        conditions=build_conditions(context, outcome),
        observed_generation=context.sweep.generation,
    )
    # Termination messages disappear with their pods, so counts are written before this pass removes pods.
    removes_pods = context.spec.suspend or any(isinstance(action, DeleteJob | PatchJob) for action in outcome.actions)
    status, progress_due = throttle_progress(previous, status, context.now, write_counts=removes_pods)
    status, forecast_due = expire_forecast(status, context.now)
    requeue_after = outcome.requeue_within(progress_due).requeue_within(forecast_due).requeue_after
    return (
        *build_events(context.sweep, status),
        *((WriteStatus(status),) if status != previous else ()),
        *outcome.actions,
        *((RequeueAfter(requeue_after),) if requeue_after is not None else ()),
    )
