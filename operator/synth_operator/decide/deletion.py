"""Deletion of a sweep behind our finalizer: its Jobs end, then a delete Job removes its dataset and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import FINALIZER, FORCE_DELETE_ANNOTATION
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import DeletionPolicy, Phase
from synth_operator.decide.actions import Action, DeleteJob, EmitEvent, SetFinalizers
from synth_operator.decide.outcome import Outcome, build_outcome, build_waiting_outcome
from synth_operator.decide.small_job import JobImpossible, JobSucceeded, decide_small_job
from synth_operator.kube.api import Resource
from synth_operator.manifests.jobs import build_small_job
from synth_operator.manifests.names import JobKey

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_api.resources.synth_sweep import AttemptStatus
    from synth_operator.configuration import Configuration
    from synth_operator.decide.context import Context
    from synth_operator.kube.owner import Owner

_POLL_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 600.0
"""Time until another look at a deletion that cannot work."""
_OUTPUTS: Final = {Resource.SWEEPS: ("sweep", "sweeps"), Resource.DATASETS: ("dataset", "datasets")}
"""Kind of an owner in words, and folder of its outputs."""


def decide_finalizers(owner: Owner) -> SetFinalizers | None:
    """Return the change that adds or removes our finalizer; None if the finalizers are right.

    A sweep or dataset has it exactly while its `deletionPolicy` is Delete; on one that is being deleted nothing changes
    here.
    """
    needed = owner.spec.deletion_policy is DeletionPolicy.DELETE and not owner.deleting
    if needed == (FINALIZER in owner.finalizers) or (owner.deleting and FINALIZER in owner.finalizers):
        return None
    return SetFinalizers((*owner.finalizers, FINALIZER)) if needed else remove_finalizer(owner)


def decide_deletion(context: Context) -> Outcome | tuple[Action, ...] | None:
    """Return the outcome for a sweep that is being deleted, or its last actions; None if it has no finalizer of ours.

    Kubernetes deletes the children of a sweep without our finalizer by itself.
    """
    if FINALIZER not in context.sweep.finalizers:
        return None
    output = context.spec.output or context.default_output
    attempt = context.previous_status.attempt
    forced = FORCE_DELETE_ANNOTATION in context.sweep.annotations
    if forced or attempt is None or output is None or context.spec.deletion_policy is not DeletionPolicy.DELETE:
        return (remove_finalizer(context.sweep),)
    if any(refusal.namespace_ends for refusal in context.observed.refusals):
        return (report_kept_outputs(context.sweep, output, context.configuration), remove_finalizer(context.sweep))
    others = tuple(job for job in context.jobs if job.kind is not JobKind.DELETE)
    if others or context.has_active_render_pods():
        actions = tuple(DeleteJob(job.name, job.uid) for job in others if not job.deleting)
        return _build_deleting_outcome(context, "Waiting for the sweep's pods to end.", actions, _POLL_SECONDS)
    return _remove_outputs(context, attempt, output)


def remove_finalizer(owner: Owner) -> SetFinalizers:
    """Return the change that removes our finalizer."""
    return SetFinalizers(tuple(name for name in owner.finalizers if name != FINALIZER))


def report_kept_outputs(owner: Owner, output: Output, configuration: Configuration) -> EmitEvent:
    """Return the Event about outputs that no Job can delete, in the operator's namespace: the owner's goes."""
    what, folder = _OUTPUTS[owner.resource]
    message = (
        f"The namespace '{owner.namespace}' is being deleted, where no Job can be created any more: the outputs of its "
        f"{what} '{owner.name}' stay in {output.uri}, {folder}/{owner.namespace}/{owner.name}."
    )
    return EmitEvent(f"{owner.name}.{owner.uid}", "Warning", "OutputsKept", message, configuration.lease)


def _remove_outputs(context: Context, attempt: AttemptStatus, output: Output) -> Outcome | tuple[Action, ...]:
    key = JobKey(JobKind.DELETE, attempt.hash)
    manifest = build_small_job(context.sweep, key, output, context.configuration)
    match decide_small_job(context, context.previous_status, key, manifest):
        case JobSucceeded():
            return (remove_finalizer(context.sweep),)
        case JobImpossible(problem):
            return _build_blocked_outcome(context, problem, (), RETRY_SECONDS)
        case job if job.problem:
            return _build_blocked_outcome(context, job.problem, job.actions, job.requeue_after)
        case job:
            message = "Removing the sweep's dataset and runs from the store."
            return _build_deleting_outcome(context, message, job.actions, job.requeue_after)


def _build_deleting_outcome(
    context: Context, message: str, actions: tuple[Action, ...], requeue_after: float | None
) -> Outcome:
    return build_outcome(
        context.previous_status, Phase.DELETING, Reason.DELETING, message, actions, requeue_after=requeue_after
    )


def _build_blocked_outcome(
    context: Context, problem: Problem, actions: tuple[Action, ...], requeue_after: float | None
) -> Outcome:
    """Return the outcome of a deletion that cannot go on; its message names the way to delete without the store."""
    problem = add_force_remedy(problem, "sweep")
    return build_waiting_outcome(context, context.previous_status, problem, actions, requeue_after, Phase.DELETING)


def add_force_remedy(problem: Problem, what: str) -> Problem:
    """Return the problem of a deletion with the way to delete without the store."""
    remedy = f"To delete the {what} and leave its outputs, annotate it with {FORCE_DELETE_ANNOTATION}=true."
    if remedy in problem.message:
        return problem
    return Problem(reason=problem.reason, message=f"{problem.message} {remedy}")
