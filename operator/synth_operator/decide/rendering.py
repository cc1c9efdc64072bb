"""Rendering of the current shard: its Job is created, patched, replaced and counted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import build_input_name, build_job_name
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import AttemptStatus, Phase, SweepStatus
from synth_operator.decide.actions import Action, CreateJob, DeleteJob, PatchJob
from synth_operator.decide.backoff import MESSAGE_GRACE, compute_delay
from synth_operator.decide.claims import build_batches
from synth_operator.decide.demand import count_open_batches
from synth_operator.decide.forecast import add_forecast
from synth_operator.decide.limits import check_failure_limit, format_runs
from synth_operator.decide.outcome import (
    Outcome,
    build_limited_outcome,
    build_outcome,
    build_suspended_outcome,
    build_waiting_outcome,
)
from synth_operator.decide.pod_problems import explain_failure, find_known_problem, find_pod_problem
from synth_operator.decide.silence import find_silence
from synth_operator.decide.small_job import create_missing_input, find_refusal, is_replaceable
from synth_operator.decide.spending import check_budget, measure_spending
from synth_operator.decide.startup import find_startup
from synth_operator.decide.status_updates import update_attempt, update_status
from synth_operator.decide.tally import count_runs, settle_shard
from synth_operator.manifests.inputs import build_input_config_map
from synth_operator.manifests.jobs import build_render_job, compute_inputs_hash, limit_parallelism
from synth_operator.manifests.names import JobKey

if TYPE_CHECKING:
    from datetime import datetime

    from synth_operator.decide.context import Context
    from synth_operator.kube.job_object import JobObject
    from synth_operator.validation import ValidatedSweep

_POLL_SECONDS: Final = 5.0
_PROBLEM_POLL_SECONDS: Final = 60.0


def render_shard(
    context: Context, status: SweepStatus, attempt: AttemptStatus, validated: ValidatedSweep
) -> Outcome | SweepStatus:
    """Return the outcome for the current shard, or the status to continue with once it is settled or given up."""
    key = JobKey(JobKind.RENDER, attempt.hash, attempt.settled.shards)
    jobs = context.find_jobs(key)
    status = count_runs(status, attempt, build_batches(attempt), jobs, context.find_pods(*jobs))
    status = add_forecast(context, measure_spending(context, status))
    verdict = check_failure_limit(context.spec, status.runs.failed, status.runs.total)
    if verdict is None and status.runs.succeeded + status.runs.failed < (attempt.todo or 0):
        verdict = check_budget(context, status)
    if verdict:
        return update_status(status, attempt=update_attempt(attempt, verdict=verdict))
    inputs = compute_inputs_hash(context.sweep, key)
    job = next((job for job in jobs if not job.deleting and (job.finish or job.inputs == inputs)), None)
    if job is None:
        return _create_job(context, status, key, validated, jobs)
    if job.finish:
        return _settle_job(context, status, attempt, job)
    return _watch_job(context, status, key, validated, job)


def _create_job(
    context: Context, status: SweepStatus, key: JobKey, validated: ValidatedSweep, jobs: tuple[JobObject, ...]
) -> Outcome:
    outdated = tuple(DeleteJob(job.name, job.uid) for job in jobs if not job.deleting)
    if context.spec.suspend:
        return build_suspended_outcome(status, outdated)
    if limit := context.observed.allowance.problem:
        return build_limited_outcome(context, status, limit, outdated)
    if context.has_active_render_pods():
        message = "Waiting for the previous render pods to end."
        return build_outcome(status, Phase.RENDERING, Reason.RENDERING, message, outdated, requeue_after=_POLL_SECONDS)
    name = build_job_name(context.sweep.name, compute_inputs_hash(context.sweep, key), key.kind, key.shard)
    refusal = find_refusal(context, status, name, build_input_name(context.sweep.name, key.attempt))
    if refusal and refusal.problem:
        return build_waiting_outcome(context, status, refusal.problem, refusal.actions, refusal.requeue_after)
    manifest = _build_manifest(context, key, validated, status)
    actions = (*_create_missing_input(context, key, validated), CreateJob(manifest))
    problem = find_known_problem(context, status, started=False)
    if problem:
        return build_waiting_outcome(context, status, problem, actions)
    return _build_rendering_outcome(context, status, actions)


def _create_missing_input(context: Context, key: JobKey, validated: ValidatedSweep) -> tuple[Action, ...]:
    configuration = context.configuration
    build_input = partial(build_input_config_map, context.sweep, validated, key.attempt, configuration)
    return create_missing_input(context, key, build_input)


def _settle_job(context: Context, status: SweepStatus, attempt: AttemptStatus, job: JobObject) -> Outcome | SweepStatus:
    """Settle the shard of a finished Job once the messages of its pods have had time to arrive."""
    assert job.finish is not None
    with_message = {pod.index for pod in context.find_pods(job) if pod.message}
    grace_end = job.finish.at + MESSAGE_GRACE
    if not with_message.issuperset(job.completed_indexes) and context.now < grace_end:
        return _build_rendering_outcome(context, status, requeue_after=compute_delay(grace_end, context.now))
    status = settle_shard(status, attempt)
    verdict = _find_impossible(context, job)
    if verdict and status.attempt:
        return update_status(status, attempt=update_attempt(status.attempt, verdict=verdict))
    return status


def _find_impossible(context: Context, job: JobObject) -> Problem | None:
    """Return the reason why a Job that its pod failure policy ended can never succeed."""
    if job.finish is None or job.finish.reason != "PodFailurePolicy":
        return None
    pods = [pod for pod in context.find_pods(job) if pod.exit_code == ExitCode.NEVER]
    return explain_failure(pods[0] if pods else None)


def _watch_job(
    context: Context, status: SweepStatus, key: JobKey, validated: ValidatedSweep, job: JobObject
) -> Outcome:
    delete = (DeleteJob(job.name, job.uid),)
    spec = context.spec
    if spec.suspend:
        return build_suspended_outcome(status, delete if spec.queue_name else _patch_job(job, suspend=True))
    if limit := context.observed.allowance.problem:
        return build_limited_outcome(context, status, limit, _let_run(job, context.observed.allowance.pods or 0))
    if spec.queue_name and job.suspend:
        queued = Problem(reason=Reason.QUEUED, message=f"Waiting in the queue '{spec.queue_name}'.")
        return build_waiting_outcome(context, status, queued, _create_missing_input(context, key, validated))
    startup = find_startup(context, job)
    silence = None if startup else find_silence(context, status, job)
    overdue = silence is not None and silence.is_overdue
    problem = None if _has_progress(context, status) else find_pod_problem(context, status, job, overdue=overdue)
    if problem and is_replaceable(context, job, _build_manifest(context, key, validated, status)):
        return build_waiting_outcome(context, status, problem, delete)
    parallelism = _compute_parallelism(context, job)
    actions = (*_create_missing_input(context, key, validated), *_patch_job(job, parallelism, suspend=False))
    if problem:
        return build_waiting_outcome(context, status, problem, actions, _PROBLEM_POLL_SECONDS)
    outcome = _build_rendering_outcome(context, status, actions)
    reason_to_wait = startup or silence
    return reason_to_wait.add_to(outcome, context) if reason_to_wait else outcome


def _let_run(job: JobObject, pods: int) -> tuple[Action, ...]:
    """Return the patch that lets so many pods end their batches: the Job controller stops those that started last."""
    return _patch_job(job, min(pods, job.parallelism), suspend=False) if pods else _patch_job(job, suspend=True)


def _compute_parallelism(context: Context, job: JobObject) -> int:
    """Return the parallelism of a Job; under a limit it stays as it is while no pod depends on it."""
    allowed, left = context.observed.allowance.pods, count_open_batches(job)
    wanted = limit_parallelism(context.spec.parallelism, job.completions, allowed)
    return job.parallelism if allowed is not None and min(wanted, left) == min(job.parallelism, left) else wanted


def _has_progress(context: Context, status: SweepStatus) -> bool:
    """Return True if more runs are finished than in the previous status: its problem is solved."""
    previous, current = context.previous_status.runs, status.runs
    return current.succeeded + current.failed > previous.succeeded + previous.failed


def _patch_job(job: JobObject, parallelism: int | None = None, *, suspend: bool) -> tuple[Action, ...]:
    """Return the patch that changes parallelism and suspension where they differ."""
    new_parallelism = parallelism if parallelism != job.parallelism else None
    new_suspend = suspend if suspend != job.suspend else None
    if new_parallelism is None and new_suspend is None:
        return ()
    return (PatchJob(job.name, job.uid, parallelism=new_parallelism, suspend=new_suspend),)


def _build_manifest(context: Context, key: JobKey, validated: ValidatedSweep, status: SweepStatus) -> dict[str, object]:
    assert status.attempt is not None
    batches = build_batches(status.attempt)
    manifest = build_render_job(context.sweep, key, batches, validated.output, context.configuration)
    parallelism = limit_parallelism(
        context.spec.parallelism, manifest["spec"]["completions"], context.observed.allowance.pods
    )
    return {**manifest, "spec": {**manifest["spec"], "parallelism": parallelism}}


def _build_rendering_outcome(
    context: Context, status: SweepStatus, actions: tuple[Action, ...] = (), requeue_after: float | None = None
) -> Outcome:
    """Return the outcome of a sweep that renders; its pace is measured from the first pass that renders."""
    attempt = status.attempt
    assert attempt is not None
    if context.previous_status.phase is not Phase.RENDERING or attempt.pace_time is None:
        finished = status.runs.succeeded + status.runs.failed
        attempt = update_attempt(attempt, pace_time=context.now, pace_runs=finished)
        status = update_status(status, attempt=attempt, start_time=_find_start_time(context, status))
    pods = f"{context.spec.parallelism} pods" if context.spec.parallelism > 1 else "1 pod"
    limited = ", fewer while the namespace is at its limit" if context.observed.allowance.is_short else ""
    message = f"Rendering {format_runs(attempt.todo or 0)} with at most {pods} at a time{limited}."
    return build_outcome(status, Phase.RENDERING, Reason.RENDERING, message, actions, requeue_after)


def _find_start_time(context: Context, status: SweepStatus) -> datetime | None:
    """Return the start of the deadline: a resumed sweep has its whole time again, as a resumed Job has."""
    return context.now if context.previous_status.phase is Phase.SUSPENDED else status.start_time
