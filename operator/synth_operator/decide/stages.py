"""Stages of an attempt: planning, rendering shard by shard, finalizing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from synth_api.jobs.attempt_input import hash_attempt
from synth_api.jobs.messages import FinalizeMessage, JobKind, PlanMessage
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import AttemptStatus, Phase, RunCounts, SweepStatus
from synth_api.version import ENGINE_VERSION
from synth_operator.decide.backoff import compute_delay
from synth_operator.decide.claims import build_batches
from synth_operator.decide.completion import complete_sweep, fail_sweep
from synth_operator.decide.limits import check_deadline, compute_deadline, format_runs
from synth_operator.decide.outcome import (
    Outcome,
    build_limited_outcome,
    build_outcome,
    build_suspended_outcome,
    build_waiting_outcome,
)
from synth_operator.decide.rendering import render_shard
from synth_operator.decide.small_job import (
    JobImpossible,
    JobPending,
    JobResult,
    JobSucceeded,
    decide_small_job,
)
from synth_operator.decide.spending import compute_budget_delay, measure_spending
from synth_operator.decide.status_updates import update_attempt, update_status
from synth_operator.manifests.inputs import build_input_config_map
from synth_operator.manifests.jobs import build_small_job
from synth_operator.manifests.names import JobKey

if TYPE_CHECKING:
    from synth_operator.decide.context import Context
    from synth_operator.validation import ValidatedSweep

_MAX_STALE_ATTEMPTS: Final = 2
"""Further attempts after runs disappeared from the store."""
_POLL_SECONDS: Final = 5.0
_RESTART_SECONDS: Final = 1.0


def find_or_start_attempt(context: Context, validated: ValidatedSweep) -> SweepStatus:
    """Return the status with the attempt in progress, or with a new one if plan or retry token changed."""
    previous, attempt = context.previous_status, context.previous_status.attempt
    current = attempt and previous.plan == validated.plan and attempt.retry_token == context.spec.retry_token
    return previous if current and previous.completion_time is None else _start_attempt(context, validated)


def continue_attempt(context: Context, status: SweepStatus, validated: ValidatedSweep) -> Outcome:
    """Return the outcome of the current stage of an attempt."""
    attempt = status.attempt
    assert attempt is not None
    status = update_status(status, start_time=status.start_time or context.now)
    rendered = attempt.todo is not None and attempt.settled.shards >= build_batches(attempt).shards
    verdict = attempt.verdict or (None if rendered else check_deadline(context, status))
    if verdict and attempt.todo is None:
        return fail_sweep(context, status, verdict)
    attempt = update_attempt(attempt, verdict=verdict)
    status = update_status(status, attempt=attempt)
    if attempt.todo is None:
        outcome = _plan(context, status, attempt, validated)
    elif rendered or verdict:
        outcome = _finalize(context, status, attempt, validated)
    else:
        outcome = _render(context, status, attempt, validated)
    deadline = compute_deadline(context, status)
    return outcome.requeue_within(compute_delay(deadline, context.now)) if deadline and verdict is None else outcome


def _start_attempt(context: Context, validated: ValidatedSweep, *, stale: int = 0) -> SweepStatus:
    """Return the status of a new attempt; the dataset of the last committed one stays in it."""
    previous = context.previous_status
    count = previous.attempt.count + 1 if previous.attempt else 0
    token = context.spec.retry_token
    digest = hash_attempt(context.sweep.uid, validated.plan, token, count)
    return SweepStatus(
        conditions=previous.conditions,
        phase=Phase.PLANNING,
        start_time=previous.start_time if stale else context.now,
        plan=validated.plan,
        recipe_digest=validated.recipe_digest,
        engine_version=ENGINE_VERSION,
        runs=RunCounts(total=validated.runs),
        attempt=AttemptStatus(hash=digest, count=count, stale=stale, retry_token=token, earlier=previous.spent),
        spent=previous.spent,
        spent_until=previous.spent_until,
        dataset=previous.dataset,
    )


def _plan(context: Context, status: SweepStatus, attempt: AttemptStatus, validated: ValidatedSweep) -> Outcome:
    key = JobKey(JobKind.PLAN, attempt.hash)
    match _decide_job(context, status, key, validated):
        case JobSucceeded(PlanMessage() as result):
            attempt = update_attempt(attempt, todo=result.todo, batch_size=result.batch_size)
            counts = RunCounts(total=result.total, cached=result.cached)
            return continue_attempt(context, update_status(status, attempt=attempt, runs=counts), validated)
        case JobImpossible(problem):
            return fail_sweep(context, status, problem)
        case JobPending() as job:
            message = "Checking which runs exist in the store."
            return _build_pending_outcome(context, status, job, Phase.PLANNING, Reason.PLANNING, message)
        case unexpected:
            raise AssertionError(unexpected)


def _render(context: Context, status: SweepStatus, attempt: AttemptStatus, validated: ValidatedSweep) -> Outcome:
    result = render_shard(context, status, attempt, validated)
    if isinstance(result, Outcome):
        return result.requeue_within(compute_budget_delay(context, result.status))
    return continue_attempt(context, result, validated)


def _finalize(context: Context, status: SweepStatus, attempt: AttemptStatus, validated: ValidatedSweep) -> Outcome:
    status = measure_spending(context, status)
    if context.has_active_render_pods():
        # Cleanup has deleted their Jobs; the pods may use their grace period.
        message = "Waiting for the render pods to end."
        return build_outcome(status, Phase.FINALIZING, Reason.FINALIZING, message, requeue_after=_POLL_SECONDS)
    key = JobKey(JobKind.FINALIZE, attempt.hash)
    match _decide_job(context, status, key, validated):
        case JobSucceeded(FinalizeMessage() as result):
            if result.missing and attempt.verdict is None and attempt.stale < _MAX_STALE_ATTEMPTS:
                return _restart_stale_attempt(context, validated, attempt, result.missing)
            return complete_sweep(context, status, attempt, result)
        case JobImpossible(problem):
            return fail_sweep(context, status, attempt.verdict or problem)
        case JobPending(problem=Problem() as problem) if verdict := attempt.verdict or check_deadline(context, status):
            message = f"{verdict.message} The runs that exist could not be committed: {problem.message}"
            return fail_sweep(context, status, Problem(reason=verdict.reason, message=message))
        case JobPending() as job:
            message = "All runs are rendered or recorded as failed; committing the dataset."
            if attempt.verdict:
                message = f"{attempt.verdict.message} Committing the runs that exist."
            return _build_pending_outcome(context, status, job, Phase.FINALIZING, Reason.FINALIZING, message)
        case unexpected:
            raise AssertionError(unexpected)


def _decide_job(context: Context, status: SweepStatus, key: JobKey, validated: ValidatedSweep) -> JobResult:
    sweep, configuration = context.sweep, context.configuration
    manifest = build_small_job(sweep, key, validated.output, configuration)
    build_input = partial(build_input_config_map, sweep, validated, key.attempt, configuration)
    return decide_small_job(context, status, key, manifest, build_input)


def _restart_stale_attempt(
    context: Context, validated: ValidatedSweep, attempt: AttemptStatus, missing: int
) -> Outcome:
    message = f"{format_runs(missing)} counted as done but missing from the store; planning again."
    status = _start_attempt(context, validated, stale=attempt.stale + 1)
    return build_outcome(status, Phase.PLANNING, Reason.PLAN_STALE, message, requeue_after=_RESTART_SECONDS)


def _build_pending_outcome(
    context: Context, status: SweepStatus, job: JobPending, phase: Phase, reason: Reason, message: str
) -> Outcome:
    """Return the outcome while a small Job has not succeeded."""
    if context.spec.suspend:
        return build_suspended_outcome(status)
    if limit := context.observed.allowance.problem:
        return build_limited_outcome(context, status, limit)
    if job.problem:
        return build_waiting_outcome(context, status, job.problem, job.actions, job.requeue_after)
    return build_outcome(status, phase, reason, message, job.actions, job.requeue_after)
