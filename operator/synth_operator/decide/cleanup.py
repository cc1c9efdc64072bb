"""Cleanup: deletion of Jobs of earlier attempts, of Jobs whose tally is in the status, and of unused ConfigMaps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import build_attempt_label, build_input_name
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.actions import Action, DeleteInput, DeleteJob
from synth_operator.decide.backoff import compute_delay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import Context
    from synth_operator.kube.job_object import JobObject

_FAILED_JOBS_TTL: Final = timedelta(hours=1)
"""Time that the Jobs of a failed sweep are kept for their logs."""


def decide_cleanup(
    context: Context, status: SweepStatus, *, stopped: bool = False
) -> tuple[tuple[Action, ...], float | None]:
    """Return the deletions that are due, and the seconds until the next one; `stopped` ends every running Job."""
    actions: list[Action] = []
    next_due: float | None = None
    for job in context.jobs:
        due = None if job.deleting else _find_deletion_time(context, status, job, stopped=stopped)
        if due and due <= context.now:
            actions.append(DeleteJob(job.name, job.uid))
        elif due:
            delay = compute_delay(due, context.now)
            next_due = delay if next_due is None else min(next_due, delay)
    # ConfigMaps first: a finished sweep that has no Jobs left is not looked at again after a restart.
    return (*_delete_unused_inputs(context, status), *actions), next_due


def _find_deletion_time(context: Context, status: SweepStatus, job: JobObject, *, stopped: bool) -> datetime | None:
    """Return the time at which a Job is to be deleted; None as long as it is needed."""
    attempt = status.attempt
    if attempt is None or job.attempt != build_attempt_label(attempt.hash):
        return context.now
    if job.finish is None:
        given_up = attempt.verdict is not None and job.kind is not JobKind.FINALIZE
        return context.now if stopped or given_up or status.completion_time else None
    if not _is_counted(status, job):
        return None
    ttl = context.spec.ttl_seconds_after_finished
    if ttl is not None:
        return job.finish.at + timedelta(seconds=ttl)
    if status.completion_time is None:
        return context.now if job.shard + 1 < attempt.settled.shards else None
    return context.now if status.phase is Phase.COMPLETE else status.completion_time + _FAILED_JOBS_TTL


def _is_counted(status: SweepStatus, job: JobObject) -> bool:
    """Return True if the tally of a finished Job is in the status."""
    attempt = status.attempt
    if status.completion_time:
        return True
    if attempt is None or job.kind is JobKind.FINALIZE:
        return False
    if job.kind is JobKind.PLAN:
        return attempt.todo is not None
    return job.shard < attempt.settled.shards


def _delete_unused_inputs(context: Context, status: SweepStatus) -> Iterator[Action]:
    current = ""
    if status.attempt and status.completion_time is None:
        current = build_input_name(context.sweep.name, status.attempt.hash)
    for name in sorted(context.observed.inputs - {current}):
        yield DeleteInput(name)
