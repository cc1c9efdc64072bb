"""Demand of a sweep for pods and GPUs, and what it occupies, for the limits of its namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_api.jobs.messages import JobKind
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.admission import admit_sweep
from synth_operator.decide.claims import build_batches
from synth_operator.decide.finished import is_finished
from synth_operator.decide.outcome import find_ready_reason
from synth_operator.kube.extended_resources import count_gpus
from synth_operator.manifests.names import JobKey
from synth_operator.manifests.render_pod import build_render_template

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from synth_api.resources.synth_sweep import AttemptStatus, SweepStatus
    from synth_operator.decide.context import Context
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.validation import ValidatedSweep

_WITHOUT_JOBS = (Reason.LIMITED, Reason.QUEUED, Reason.RECIPE_NOT_FOUND)
"""Reasons of a waiting sweep that has no place among the sweeps at work, besides those that need an edit."""


@dataclass(frozen=True)
class Demand:
    """What a sweep at work could use now."""

    runs: int
    """All its runs."""
    pods: int
    gpus: int
    """GPUs of each render pod; a sweep at work keeps those of one pod from its start to its end."""
    renders: bool = True
    """True unless all that is left is to commit."""


@dataclass(frozen=True)
class Use:
    """Pods and GPUs that a sweep occupies by what the watches have delivered."""

    pods: int = 0
    gpus: int = 0


def compute_demand(context: Context) -> Demand | None:
    """Return the demand of a sweep; None if it has nothing to do, may not work, or waits in a queue of Kueue."""
    sweep = context.sweep
    if sweep.deleting or sweep.spec.queue_name or sweep.spec.suspend:
        return None
    validated = admit_sweep(sweep, context.observed.validation, context.configuration)
    if isinstance(validated, Problem) or is_finished(context, validated):
        return None
    template = build_render_template(sweep, JobKey(JobKind.RENDER, ""), validated.output, context.configuration)
    pods, gpus = _count_wanted_pods(context, validated), count_gpus(template["spec"])
    return Demand(validated.runs, pods, gpus, renders=not _is_rendered(context, validated))


def measure_use(uid: str, jobs: Iterable[JobObject], pods: Iterable[PodObject]) -> Use:
    """Return what the sweep with this uid occupies: pods that have not ended, and pods that its Jobs may create."""
    jobs = tuple(jobs)
    alive = [pod for pod in pods if pod.owner and not pod.is_finished and pod.exit_code is None]
    total_pods, total_gpus = len(alive), sum(pod.gpus for pod in alive)
    for job in jobs:
        if job.owner == uid and not (job.finish or job.suspend or job.deleting):
            missing = min(job.parallelism, count_open_batches(job)) - sum(pod.owner == job.uid for pod in alive)
            total_pods += max(0, missing)
            total_gpus += max(0, missing) * job.gpus
    return Use(total_pods, total_gpus)


def is_at_work(status: SweepStatus) -> bool:
    """Return True if the sweep has, by its status, a place among the sweeps at work."""
    reason = find_ready_reason(status)
    if status.start_time is None or status.completion_time or status.phase is Phase.SUSPENDED or reason is None:
        return False
    return status.phase is not Phase.WAITING or not (reason in _WITHOUT_JOBS or reason.retry_helps is False)


def count_open_batches(job: JobObject) -> int:
    """Return the number of completion indexes of a Job without a result."""
    return job.completions - len(job.completed_indexes) - len(job.failed_indexes)


def count_render_pods_since_before(context: Context, time: datetime) -> int:
    """Return the number of the sweep's render pods that run and started no later than a time."""
    pods = context.find_pods(*(job for job in context.jobs if job.kind is JobKind.RENDER))
    running = (pod for pod in pods if pod.phase == "Running" and not pod.is_finished)
    return sum(pod.start_time is not None and pod.start_time <= time for pod in running)


def _count_wanted_pods(context: Context, validated: ValidatedSweep) -> int:
    """Return the pods that the current stage can use: those of plan and finalize are one."""
    attempt = _find_attempt(context, validated)
    if attempt is None or attempt.todo is None or attempt.verdict:
        return 1
    return max(1, min(context.spec.parallelism, _count_open_batches(context, attempt)))


def _is_rendered(context: Context, validated: ValidatedSweep) -> bool:
    attempt = _find_attempt(context, validated)
    if attempt is None or attempt.todo is None:
        return False
    return attempt.verdict is not None or _count_open_batches(context, attempt) == 0


def _find_attempt(context: Context, validated: ValidatedSweep) -> AttemptStatus | None:
    """Return the attempt in progress; None if another one is to begin."""
    status, attempt = context.previous_status, context.previous_status.attempt
    is_current = status.plan == validated.plan and status.completion_time is None
    return attempt if attempt and is_current and attempt.retry_token == context.spec.retry_token else None


def _count_open_batches(context: Context, attempt: AttemptStatus) -> int:
    """Return the number of batches without a result: of the current shard, or of the next one after its end."""
    batches, shard = build_batches(attempt), attempt.settled.shards
    jobs = context.find_jobs(JobKey(JobKind.RENDER, attempt.hash, shard))
    count = min((count_open_batches(job) for job in jobs), default=len(batches.get_batches(shard)))
    return count or len(batches.get_batches(shard + 1))
