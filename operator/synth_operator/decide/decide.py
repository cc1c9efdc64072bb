"""decide: what to do about a sweep, from what is observed. Pure: no clock, no request, no memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import SweepStatus
from synth_operator.decide.actions import Action, DeleteJob, PatchJob, RequeueAfter, SetFinalizers, WriteStatus
from synth_operator.decide.admission import admitted
from synth_operator.decide.cleanup import cleaned
from synth_operator.decide.conditions import conditioned
from synth_operator.decide.context import View
from synth_operator.decide.deletion import deletion, finalizers_wanted
from synth_operator.decide.finished import at_rest, resting
from synth_operator.decide.outcome import Conclusion, changed, waiting
from synth_operator.decide.progress import paced
from synth_operator.decide.stages import begun, carry_on
from synth_operator.decide.sweep_events import events

if TYPE_CHECKING:
    from datetime import datetime

    from synth_operator.configuration import Configuration
    from synth_operator.decide.observed_state import Observed
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.validation import Checked


def decide(sweep: SweepObject, observed: Observed, configuration: Configuration, now: datetime) -> tuple[Action, ...]:
    """The actions of one pass, in the order in which they are to be done.

    The status comes before anything that relies on it or destroys what it was counted from: an attempt is in the status
    before its first Job is made, and a Job's tally before the Job is deleted.
    """
    view = View(sweep, observed, configuration, now.replace(microsecond=0))
    finalizers = finalizers_wanted(sweep)
    if finalizers:
        return (finalizers,)
    if sweep.deleting:
        gone = deletion(view)
        if not isinstance(gone, Conclusion):
            return (gone,) if isinstance(gone, SetFinalizers) else ()
        return _actions(view, gone)
    return _actions(view, _concluded(view))


def _concluded(view: View) -> Conclusion:
    checked = admitted(view)
    if at_rest(view, checked):
        return _cleaning(view, resting(view, checked))
    if isinstance(checked, Problem):
        status = changed(view.before, completion_time=None)
        return _cleaning(view, waiting(view, status, checked), stopped=True)
    return _cleaning(view, carry_on(view, _current(view, checked), checked))


def _current(view: View, checked: Checked) -> SweepStatus:
    """The status of the attempt to carry on: the one under way, or a new one."""
    before, attempt = view.before, view.before.attempt
    token = view.spec.retry_token
    if attempt and before.plan == checked.plan and attempt.retry_token == token and before.completion_time is None:
        return before
    return begun(view, checked)


def _cleaning(view: View, conclusion: Conclusion, *, stopped: bool = False) -> Conclusion:
    actions, after = cleaned(view, conclusion.status, stopped=stopped)
    more = tuple(action for action in actions if action not in conclusion.actions)
    return replace(conclusion, actions=(*conclusion.actions, *more)).within(after)


def _actions(view: View, conclusion: Conclusion) -> tuple[Action, ...]:
    # What Jobs and pods have said goes with them, and a suspended sweep's are going: it is written now or never.
    losing = view.spec.suspend or any(isinstance(action, DeleteJob | PatchJob) for action in conclusion.actions)
    status, progress_due = paced(view.before, conditioned(view, conclusion), view.now, at_once=losing)
    after = conclusion.within(progress_due).after
    return (
        *events(view.sweep, status),
        *((WriteStatus(status),) if status != view.before else ()),
        *conclusion.actions,
        *((RequeueAfter(after),) if after is not None else ()),
    )
