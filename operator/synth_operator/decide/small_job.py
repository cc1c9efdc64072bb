"""Small Jobs: plan, finalize, export, publish, delete. One is created, watched, and created again until it succeeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_api.exit_codes import ExitCode
from synth_api.jobs.names import HASH_ANNOTATION, build_input_name
from synth_operator.decide.actions import Action, CreateInput, CreateJob, DeleteJob
from synth_operator.decide.backoff import MESSAGE_GRACE, compute_delay, compute_next_try
from synth_operator.decide.claims import MESSAGES
from synth_operator.decide.pod_problems import explain_failure, explain_refusal, find_known_problem, find_pod_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from synth_api.jobs.messages import Message
    from synth_api.resources.conditions import Problem
    from synth_api.resources.synth_dataset import DatasetStatus
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import JobContext
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.manifests.names import JobKey


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


def decide_small_job(
    context: JobContext,
    status: SweepStatus | DatasetStatus,
    key: JobKey,
    manifest: Mapping[str, Any],
    build_input: Callable[[], Mapping[str, Any]] | None = None,
) -> JobResult:
    """Return the state of a Job and the next actions for it, by the manifest that it has or would have now.

    `build_input` returns the ConfigMap that the Job reads; None for a delete Job, whose input is in its pod template.
    """
    jobs = context.find_jobs(key)
    job = next((job for job in jobs if not job.deleting), None)
    if job is None and jobs:
        return JobPending(problem=find_known_problem(context, status, started=False))
    inputs = create_missing_input(context, key, build_input)
    if job is None:
        return _create(context, status, key, manifest, inputs)
    if job.finish is None:
        return _watch(context, status, job, manifest, inputs)
    return _evaluate(context, status, job)


def find_refusal(context: JobContext, status: SweepStatus | DatasetStatus, *names: str) -> JobPending | None:
    """Return the API's refusal to create one of these names, with the time of the next try; None if a try is due."""
    for refusal in context.children.refusals:
        problem = explain_refusal(context, refusal)
        next_try = compute_next_try(status, problem.reason, refusal.at)
        if refusal.name in names and context.now < next_try:
            return JobPending(problem=problem, requeue_after=compute_delay(next_try, context.now))
    return None


def create_missing_input(
    context: JobContext, key: JobKey, build_input: Callable[[], Mapping[str, Any]] | None
) -> tuple[Action, ...]:
    """Return the action that creates the ConfigMap of an attempt or build, if it does not exist."""
    if build_input is None or build_input_name(context.owner.name, key.attempt) in context.children.inputs:
        return ()
    return (CreateInput(build_input()),)


def is_replaceable(context: JobContext, job: JobObject, manifest: Mapping[str, Any]) -> bool:
    """Return True if no pod of the Job ever ran and the operator's configuration now yields another manifest."""
    started = any(pod.phase != "Pending" for pod in context.find_pods(job)) or len(job.completed_indexes) > 0
    return not started and job.hash != manifest["metadata"]["annotations"][HASH_ANNOTATION]


def _create(
    context: JobContext,
    status: SweepStatus | DatasetStatus,
    key: JobKey,
    manifest: Mapping[str, Any],
    inputs: tuple[Action, ...],
) -> JobPending:
    names = manifest["metadata"]["name"], build_input_name(context.owner.name, key.attempt)
    if refusal := find_refusal(context, status, *names):
        return refusal
    return JobPending((*inputs, CreateJob(manifest)), find_known_problem(context, status, started=False))


def _watch(
    context: JobContext,
    status: SweepStatus | DatasetStatus,
    job: JobObject,
    manifest: Mapping[str, Any],
    inputs: tuple[Action, ...],
) -> JobPending:
    problem = find_pod_problem(context, status, job)
    if problem and is_replaceable(context, job, manifest):
        return JobPending((DeleteJob(job.name, job.uid),), problem)
    return JobPending(inputs, problem)


def _find_last_pod(context: JobContext, job: JobObject) -> PodObject | None:
    """Return the pod that decided how a Job ended: the last one, and of a failed Job the last that failed."""
    succeeded = job.finish is not None and job.finish.succeeded
    pods = [pod for pod in context.find_pods(job) if succeeded or pod.phase != "Succeeded"]
    return max(pods, key=lambda pod: pod.finish_time or pod.created, default=None)


def _evaluate(context: JobContext, status: SweepStatus | DatasetStatus, job: JobObject) -> JobResult:
    """Return the result of a finished Job."""
    finish = job.finish
    assert finish is not None
    pod = _find_last_pod(context, job)
    message = pod.message if pod else None
    if finish.succeeded and isinstance(message, MESSAGES[job.kind]) and not message.problem:
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
