"""What is not needed any more: Jobs of former attempts, Jobs that are counted, inputs nobody reads."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import attempt_label, input_name
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.actions import Action, DeleteInput, DeleteJob
from synth_operator.decide.backoff import seconds_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import View
    from synth_operator.kube.job_object import JobObject

_FAILED_KEPT: Final = timedelta(hours=1)
"""That Jobs of a failed sweep are kept for their logs."""


def cleaned(view: View, status: SweepStatus, *, stopped: bool = False) -> tuple[tuple[Action, ...], float | None]:
    """Deletions, and the seconds until the next one is due. `stopped`: nothing of the sweep may run."""
    actions: list[Action] = []
    next_due: float | None = None
    for job in view.jobs:
        end = None if job.deleting else _end(view, status, job, stopped=stopped)
        if end and end <= view.now:
            actions.append(DeleteJob(job.name, job.uid))
        elif end:
            wait = seconds_until(end, view.now)
            next_due = wait if next_due is None else min(next_due, wait)
    return (*actions, *_inputs(view, status)), next_due


def _end(view: View, status: SweepStatus, job: JobObject, *, stopped: bool) -> datetime | None:
    """When a Job is to go; None as long as it is needed."""
    attempt = status.attempt
    if attempt is None or job.attempt != attempt_label(attempt.hash):
        return view.now
    if job.finish is None:
        over = attempt.verdict is not None and job.kind is not JobKind.FINALIZE
        return view.now if stopped or over or status.completion_time else None
    if not _counted(status, job):
        return None
    kept = view.spec.ttl_seconds_after_finished
    if kept is not None:
        return job.finish.at + timedelta(seconds=kept)
    if status.completion_time is None:
        return view.now if job.shard + 1 < attempt.settled.shards else None
    return view.now if status.phase is Phase.COMPLETE else status.completion_time + _FAILED_KEPT


def _counted(status: SweepStatus, job: JobObject) -> bool:
    """Whether all that a finished Job has to say is in the status."""
    attempt = status.attempt
    if status.completion_time:
        return True
    if attempt is None or job.kind is JobKind.FINALIZE:
        return False
    if job.kind is JobKind.PLAN:
        return attempt.todo is not None
    return job.shard < attempt.settled.shards


def _inputs(view: View, status: SweepStatus) -> Iterator[Action]:
    current = ""
    if status.attempt and status.completion_time is None:
        current = input_name(view.sweep.name, status.attempt.hash)
    for name in sorted(view.observed.inputs - {current}):
        yield DeleteInput(name)
