"""Completion: the last outcome of an attempt."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from synth_api.reasons import FailureReason, Reason
from synth_api.resources.synth_sweep import Phase, ResourceUsage, RunCounts, SweepStatus
from synth_operator.decide.limits import check_failure_limit, format_runs
from synth_operator.decide.outcome import Outcome, build_outcome
from synth_operator.decide.status_updates import update_runs, update_status
from synth_operator.decide.tally import (
    merge_devices,
    rank_failure_reasons,
    select_first_failures,
    sort_stage_seconds,
)

if TYPE_CHECKING:
    from synth_api.jobs.messages import FinalizeMessage
    from synth_api.resources.conditions import Problem
    from synth_api.resources.synth_sweep import AttemptStatus
    from synth_operator.decide.context import Context

_REMEDY: Final = "Change the spec or its retryToken to try again."


def complete_sweep(context: Context, status: SweepStatus, attempt: AttemptStatus, message: FinalizeMessage) -> Outcome:
    """Return the outcome after the dataset is committed.

    It is Complete, or Failed if the attempt was stopped or too many runs failed. Runs that are missing from an attempt
    that was not stopped belong to batches that Kubernetes gave up on; they count as failed.
    """
    lost = message.missing if attempt.verdict is None else 0
    failed = message.failed + lost
    status = update_status(
        status,
        runs=RunCounts(total=message.total, cached=message.cached, succeeded=message.succeeded, failed=failed),
        failures=select_first_failures(message.failures, status.failures)[:failed],
        failure_reasons=rank_failure_reasons(Counter(message.reasons) + Counter({FailureReason.BATCH_FAILED: lost})),
        usage=_read_usage(message),
        devices=merge_devices(message.devices, status.devices),
        forecast=status.forecast if attempt.verdict else None,
        dataset=message.dataset or status.dataset,
    )
    verdict = attempt.verdict or check_failure_limit(context.spec, failed, message.total)
    if verdict:
        return fail_sweep(context, status, verdict)
    status = _set_completion_time(context, status)
    return build_outcome(status, Phase.COMPLETE, Reason.COMPLETE, format_completion(status))


def fail_sweep(context: Context, status: SweepStatus, problem: Problem) -> Outcome:
    """Return the outcome of a sweep that is given up until its spec or retry token changes."""
    remedy = "Raise spec.budget to go on." if problem.reason is Reason.BUDGET_SPENT else _REMEDY
    message = f"{problem.message} {remedy}"
    return build_outcome(_set_completion_time(context, status), Phase.FAILED, problem.reason, message)


def format_completion(status: SweepStatus) -> str:
    """Return the message of a complete sweep: counts of runs and the dataset."""
    counts = status.runs
    total = format_runs(counts.total)
    existing = f"{counts.existing} of {total} exist" if counts.failed else f"{total} exist"
    new = f"{counts.succeeded} new, {counts.cached} from before" if counts.cached else f"{counts.succeeded} new"
    failed = f"; {counts.failed} failed" if counts.failed else ""
    return f"{existing}: {new}{failed}. Dataset: {status.dataset}"


def _read_usage(message: FinalizeMessage) -> ResourceUsage:
    return ResourceUsage(
        seconds=sort_stage_seconds(message.seconds),
        gpu_seconds_used=message.gpu_seconds_used,
        gpu_seconds_lost=message.gpu_seconds_lost,
        gpu_seconds_startup=message.gpu_seconds_startup or None,
        bytes=message.bytes,
    )


def _set_completion_time(context: Context, status: SweepStatus) -> SweepStatus:
    return update_status(status, completion_time=context.now, runs=update_runs(status.runs, active=0))
