"""Single-pod Jobs: plan, finalize and delete. Such a Job is created, watched, and created again until it succeeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import DeleteMessage, FinalizeMessage, JobKind, PlanMessage
from synth_api.jobs.names import HASH_ANNOTATION, build_input_name, build_job_name
from synth_operator.decide.actions import Action, CreateInput, CreateJob, DeleteJob
from synth_operator.decide.backoff import MESSAGE_GRACE, compute_delay, compute_next_try
from synth_operator.decide.pod_problems import explain_failure, explain_refusal, find_known_problem, find_pod_problem
from synth_operator.manifests.inputs import build_input_config_map
from synth_operator.manifests.jobs import build_single_pod_job, compute_inputs_hash

if TYPE_CHECKING:
    from synth_api.jobs.messages import Message
    from synth_api.resources.conditions import Problem
    from synth_api.resources.output import Output
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import Context
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.manifests.names import JobKey
    from synth_operator.validation import ValidatedSweep

_MESSAGES: Final = {JobKind.PLAN: PlanMessage, JobKind.FINALIZE: FinalizeMessage, JobKind.DELETE: DeleteMessage}


@dataclass(frozen=True)
class JobSucceeded:
    """The Job has succeeded and its pod left a message."""

    message: Message


@dataclass(frozen=True)
class JobImpossible:
    """The Job can never succeed, so it is not tried again."""

    problem: Problem


@dataclass(frozen=True)
class JobPending:
    """The Job has not succeeded yet: the next actions, and the problem that it waits for, if any."""

    actions: tuple[Action, ...] = ()
    problem: Problem | None = None
    requeue_after: float | None = None


JobResult = JobSucceeded | JobImpossible | JobPending


def decide_single_pod_job(
    context: Context, status: SweepStatus, key: JobKey, output: Output, validated: ValidatedSweep | None
) -> JobResult:
    """Return the state of a Job and the next actions for it.

    `validated` is the content of the ConfigMap that the Job reads; None for a delete Job, whose input is in its pod
    template.
    """
    jobs = context.find_jobs(key)
    job = next((job for job in jobs if not job.deleting), None)
    if job is None and jobs:
        return JobPending(problem=find_known_problem(context, status, started=False))
    if job is None:
        return _create(context, status, key, output, validated)
    if job.finish is None:
        return _watch(context, status, job, key, output, validated)
    pods = sorted(context.find_pods(job), key=lambda pod: pod.finish_time or pod.created)
    return _evaluate(context, status, job, pods[-1] if pods else None)


def find_refusal(context: Context, status: SweepStatus, *names: str) -> JobPending | None:
    """Return the API's refusal to create one of these names, with the time of the next try; None if a try is due."""
    for refusal in context.observed.refusals:
        problem = explain_refusal(context, refusal)
        next_try = compute_next_try(status, problem.reason, refusal.at)
        if refusal.name in names and context.now < next_try:
            return JobPending(problem=problem, requeue_after=compute_delay(next_try, context.now))
    return None


def create_missing_input(context: Context, key: JobKey, validated: ValidatedSweep | None) -> tuple[Action, ...]:
    """Return the action that creates the ConfigMap of an attempt, if it does not exist."""
    if validated is None or build_input_name(context.sweep.name, key.attempt) in context.observed.inputs:
        return ()
    body = build_input_config_map(context.sweep, validated, key.attempt, context.configuration)
    return (CreateInput(body),)


def is_replaceable(context: Context, job: JobObject, manifest: dict[str, Any]) -> bool:
    """Return True if no pod of the Job ever ran and the operator's configuration now yields another manifest."""
    started = any(pod.phase != "Pending" for pod in context.find_pods(job)) or len(job.completed_indexes) > 0
    return not started and job.hash != manifest["metadata"]["annotations"][HASH_ANNOTATION]


def _create(
    context: Context, status: SweepStatus, key: JobKey, output: Output, validated: ValidatedSweep | None
) -> JobPending:
    name = build_job_name(context.sweep.name, compute_inputs_hash(context.sweep, key), key.kind)
    refusal = find_refusal(context, status, name, build_input_name(context.sweep.name, key.attempt))
    if refusal:
        return refusal
    manifest = build_single_pod_job(context.sweep, key, output, context.configuration)
    actions = (*create_missing_input(context, key, validated), CreateJob(manifest))
    return JobPending(actions, find_known_problem(context, status, started=False))


def _watch(
    context: Context,
    status: SweepStatus,
    job: JobObject,
    key: JobKey,
    output: Output,
    validated: ValidatedSweep | None,
) -> JobPending:
    problem = find_pod_problem(context, status, job)
    if problem and is_replaceable(
        context, job, build_single_pod_job(context.sweep, key, output, context.configuration)
    ):
        return JobPending((DeleteJob(job.name, job.uid),), problem)
    return JobPending(create_missing_input(context, key, validated), problem)


def _evaluate(context: Context, status: SweepStatus, job: JobObject, pod: PodObject | None) -> JobResult:
    """Return the result of a finished Job."""
    finish = job.finish
    assert finish is not None
    message = pod.message if pod else None
    if finish.succeeded and isinstance(message, _MESSAGES[job.kind]) and not message.problem:
        return JobSucceeded(message)
    refused = pod is not None and pod.has_refused_message
    if message is None and not refused and context.now < finish.at + MESSAGE_GRACE:
        return JobPending(requeue_after=compute_delay(finish.at + MESSAGE_GRACE, context.now))
    delete = DeleteJob(job.name, job.uid)
    if finish.succeeded and not refused:
        return JobPending((delete,))
    problem = explain_failure(pod)
    if pod and pod.exit_code == ExitCode.NEVER:
        return JobImpossible(problem)
    next_try = compute_next_try(status, problem.reason, finish.at)
    if context.now >= next_try:
        return JobPending((delete,), problem)
    return JobPending(problem=problem, requeue_after=compute_delay(next_try, context.now))
