"""Spending: what the render pods of a sweep have cost, and the budget that ends it.

Seconds are those between two times of the status, summed over the pods, so that no pod has to be remembered: what the
status counts until `spentUntil` stays counted when Jobs and pods are deleted or the operator starts again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Budget, Spending
from synth_operator.decide.status_updates import update_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.decide.context import Context
    from synth_operator.kube.pod_object import PodObject

HOUR_SECONDS: Final = 3600
_MIN_DELAY_SECONDS: Final = 1.0


def measure_spending(context: Context, status: SweepStatus) -> SweepStatus:
    """Return the status with what the sweep has spent until now."""
    attempt = status.attempt
    assert attempt is not None
    since = status.spent_until or status.start_time or context.now
    seconds = [(pod, pod.compute_seconds(since, context.now)) for pod in list_render_pods(context)]
    spent = Spending(
        gpu_seconds=_round(status.spent.gpu_seconds, *(time * pod.gpus for pod, time in seconds)),
        cpu_seconds=_round(status.spent.cpu_seconds, *(time * pod.cpus for pod, time in seconds)),
        runs=attempt.earlier.runs + status.runs.succeeded + status.runs.failed,
    )
    return update_status(status, spent=spent, spent_until=max(since, context.now))


def check_budget(context: Context, status: SweepStatus) -> Problem | None:
    """Return the problem of a sweep that has spent its budget, else None."""
    for limit in _list_limits(context.spec.budget, status.spent):
        if limit.spent >= limit.allowed:
            message = f"{limit.spent:,g} {limit.unit} are spent; budget.{limit.field} allows {limit.allowed:,g}."
            return Problem(reason=Reason.BUDGET_SPENT, message=message)
    return None


def compute_budget_delay(context: Context, status: SweepStatus) -> float | None:
    """Return the seconds until the pods that run now will have spent the budget; None if they never do."""
    running = [pod for pod in list_render_pods(context) if pod.start_time and not pod.is_finished]
    per_second = {
        "gpuHours": sum(pod.gpus for pod in running),
        "cpuHours": sum(pod.cpus for pod in running),
        "runs": 0,
    }
    delays = [
        (limit.allowed - limit.spent) * HOUR_SECONDS / rate
        for limit in _list_limits(context.spec.budget, status.spent)
        if (rate := per_second[limit.field])
    ]
    return max(_MIN_DELAY_SECONDS, min(delays)) if delays else None


def list_render_pods(context: Context) -> Iterator[PodObject]:
    """Yield the render pods of this sweep, of all attempts, and those that were deleted since they were counted."""
    foreign = {job.uid for job in context.observed.jobs if job.owner != context.sweep.uid}
    yield from (pod for pod in context.observed.pods if context.is_render_pod(pod) and pod.owner not in foreign)


class _Limit(NamedTuple):
    """A limit of the budget, in hours or runs, and what of it is spent."""

    field: str
    unit: str
    allowed: float
    spent: float


def _list_limits(budget: Budget | None, spent: Spending) -> Iterator[_Limit]:
    budget = budget or Budget()
    if budget.gpu_hours is not None:
        yield _Limit("gpuHours", "GPU hours", budget.gpu_hours, spent.gpu_seconds / HOUR_SECONDS)
    if budget.cpu_hours is not None:
        yield _Limit("cpuHours", "CPU hours", budget.cpu_hours, spent.cpu_seconds / HOUR_SECONDS)
    if budget.runs is not None:
        yield _Limit("runs", "runs", budget.runs, spent.runs)


def _round(*seconds: float) -> float:
    return round(sum(seconds), 3)
