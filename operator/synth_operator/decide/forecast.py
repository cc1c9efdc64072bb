"""Forecast: what a sweep will have spent at its end, and when that is, judged by the batches that have ended.

Batches take runs from all over the sweep (`synth_dataset.attempts.render_order`), so those that ended first cost as
much as the others.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from synth_api.resources.synth_sweep import Forecast, Phase, Spending
from synth_operator.decide.spending import HOUR_SECONDS, list_render_pods
from synth_operator.decide.status_updates import update_status

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.synth_sweep import AttemptStatus, SweepStatus
    from synth_operator.decide.context import Context

_MIN_BATCHES: Final = 2
"""Ended batches before a forecast: the first one may have waited for the image."""
_DIGITS: Final = 3
"""Significant digits of amounts."""


def add_forecast(context: Context, status: SweepStatus) -> SweepStatus:
    """Return the status with a forecast, or with the previous one as long as too few batches have ended."""
    attempt = status.attempt
    assert attempt is not None
    todo, finished = attempt.todo or 0, status.runs.succeeded + status.runs.failed
    if finished < min(todo, _MIN_BATCHES * attempt.batch_size) or not finished:
        return status
    # Seconds of pods that still run are left out as their runs are: both count once the pods end.
    running = _measure_running_pods(context, status)
    ended = _subtract(status.spent, running)
    of_attempt = _subtract(ended, attempt.earlier)
    left = (todo - finished) / finished
    gpu_hours = (ended.gpu_seconds + left * of_attempt.gpu_seconds) / HOUR_SECONDS
    cpu_hours = (ended.cpu_seconds + left * of_attempt.cpu_seconds) / HOUR_SECONDS
    price = context.configuration.gpu.hourly_price
    in_flight = finished * _compute_ratio(running, of_attempt)
    forecast = Forecast(
        gpu_hours=_round(gpu_hours),
        cpu_hours=_round(cpu_hours),
        cost=None if price is None else _round(gpu_hours * price),
        end=_compute_end(context, attempt, finished + in_flight),
    )
    return update_status(status, forecast=forecast)


def _measure_running_pods(context: Context, status: SweepStatus) -> Spending:
    """Return what the pods that run now have spent since the attempt began."""
    pods = [pod for pod in list_render_pods(context) if not pod.is_finished]
    seconds = [pod.compute_seconds(status.start_time or pod.created, context.now) for pod in pods]
    return Spending(
        gpu_seconds=sum(pod.gpus * time for pod, time in zip(pods, seconds, strict=True)),
        cpu_seconds=sum(pod.cpus * time for pod, time in zip(pods, seconds, strict=True)),
    )


def _subtract(one: Spending, other: Spending) -> Spending:
    return Spending(gpu_seconds=one.gpu_seconds - other.gpu_seconds, cpu_seconds=one.cpu_seconds - other.cpu_seconds)


def _compute_ratio(one: Spending, other: Spending) -> float:
    """Return the ratio of two amounts of work; 0 if the pods request neither GPUs nor CPUs."""
    work = other.gpu_seconds + other.cpu_seconds
    return (one.gpu_seconds + one.cpu_seconds) / work if work > 0 else 0.0


def _compute_end(context: Context, attempt: AttemptStatus, worked: float) -> datetime | None:
    """Return the end at the pace since rendering began or was resumed; None if it did only now.

    `worked` are the finished runs with the parts of those in flight.
    """
    if attempt.pace_time is None or context.previous_status.phase is not Phase.RENDERING or worked <= attempt.pace_runs:
        return None
    left = max(0.0, (attempt.todo or 0) - worked)
    seconds = (context.now - attempt.pace_time).total_seconds() * left / (worked - attempt.pace_runs)
    return context.now + timedelta(seconds=round(seconds))


def _round(amount: float) -> float:
    return float(f"{max(0.0, amount):.{_DIGITS}g}")
