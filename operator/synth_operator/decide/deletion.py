"""A sweep that is being deleted, behind our finalizer: its Jobs end, then a Job removes what it has written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import FINALIZER, FORCE_DELETE_ANNOTATION
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import DeletionPolicy, Phase
from synth_operator.decide.actions import Action, DeleteJob, SetFinalizers
from synth_operator.decide.outcome import Conclusion, concluded, waiting
from synth_operator.decide.single_pod_job import Done, Never, small_step
from synth_operator.manifests.names import Task

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_api.resources.synth_sweep import AttemptStatus
    from synth_operator.decide.context import View
    from synth_operator.kube.sweep_object import SweepObject

_LOOK_AGAIN = 5.0
_TRY_AGAIN = 600.0


def finalizers_wanted(sweep: SweepObject) -> SetFinalizers | None:
    """Ours while outputs are to go with the sweep, and only then; None when that is so already."""
    wanted = sweep.spec.deletion_policy is DeletionPolicy.DELETE and not sweep.deleting
    if wanted == (FINALIZER in sweep.finalizers) or (sweep.deleting and FINALIZER in sweep.finalizers):
        return None
    return SetFinalizers((*sweep.finalizers, FINALIZER)) if wanted else let_go(sweep)


def let_go(sweep: SweepObject) -> SetFinalizers:
    """The sweep may go."""
    return SetFinalizers(tuple(name for name in sweep.finalizers if name != FINALIZER))


def deletion(view: View) -> Conclusion | SetFinalizers | None:
    """What to do for a sweep that is being deleted; None when it goes by itself, its children with it."""
    if FINALIZER not in view.sweep.finalizers:
        return None
    output = view.spec.output or view.rules.output
    attempt = view.before.attempt
    forced = FORCE_DELETE_ANNOTATION in view.sweep.annotations
    if forced or attempt is None or output is None or view.spec.deletion_policy is not DeletionPolicy.DELETE:
        return let_go(view.sweep)
    others = tuple(job for job in view.jobs if job.kind is not JobKind.DELETE)
    if others or view.at_work():
        actions = tuple(DeleteJob(job.name, job.uid) for job in others if not job.deleting)
        return _deleting(view, "Waiting for the sweep's pods to end.", actions, _LOOK_AGAIN)
    return _remove(view, attempt, output)


def _remove(view: View, attempt: AttemptStatus, output: Output) -> Conclusion | SetFinalizers:
    match small_step(view, view.before, Task(JobKind.DELETE, attempt.hash), output, None):
        case Done():
            return let_go(view.sweep)
        case Never(problem):
            return _blocked(view, problem, (), _TRY_AGAIN)
        case step if step.problem:
            return _blocked(view, step.problem, step.actions, step.after)
        case step:
            return _deleting(view, "Removing the sweep's dataset and runs from the store.", step.actions, step.after)


def _deleting(view: View, text: str, actions: tuple[Action, ...], after: float | None) -> Conclusion:
    return concluded(view.before, Phase.DELETING, Reason.DELETING, text, actions, after)


def _blocked(view: View, problem: Problem, actions: tuple[Action, ...], after: float | None) -> Conclusion:
    """With the way out, so that nobody waits for ever."""
    way_out = f"To delete the sweep and leave its outputs, annotate it with {FORCE_DELETE_ANNOTATION}=true."
    told = problem if way_out in problem.message else _with(problem, way_out)
    return waiting(view, view.before, told, actions, after, Phase.DELETING)


def _with(problem: Problem, text: str) -> Problem:
    return Problem(reason=problem.reason, message=f"{problem.message} {text}")
