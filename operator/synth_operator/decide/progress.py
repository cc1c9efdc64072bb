"""Progress: percentage, pace and ETA, and how often they are written (docs/contracts.md, section 7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_operator.decide.status_updates import update_status

if TYPE_CHECKING:
    from datetime import datetime

_MAX_WRITES: Final = 33
"""Writes of an attempt's progress: steps of 3 %."""
_MIN_INTERVAL: Final = timedelta(seconds=10)
"""Time between two writes of progress."""
_PROGRESS_FIELDS: Final = (
    "runs",
    "failures",
    "failure_reasons",
    "usage",
    "spent",
    "spent_until",
    "forecast",
    "image",
    "devices",
    "progress",
    "progress_time",
    "runs_per_minute",
    "eta",
)


def throttle_progress(
    previous: SweepStatus, status: SweepStatus, now: datetime, *, write_counts: bool = False
) -> tuple[SweepStatus, float | None]:
    """Return the status to write, and the seconds until progress that has to wait may be written.

    The status is the previous one as long as only progress differs and can wait. With `write_counts` a changed count of
    finished runs cannot wait.
    """
    counts_due = write_counts and _count_finished_runs(status) != _count_finished_runs(previous)
    if counts_due or _without_progress(previous) != _without_progress(status):
        return _add_progress(previous, status, now), None
    if status.runs == previous.runs:
        return previous, None
    step = max(1, -(-status.runs.total // _MAX_WRITES))
    finished = _count_finished_runs(status)
    complete = status.attempt is not None and finished == status.attempt.todo
    if not complete and finished - _count_finished_runs(previous) < step:
        return previous, None
    wait = previous.progress_time + _MIN_INTERVAL - now if previous.progress_time is not None else timedelta(0)
    if wait > timedelta(0) and not (complete and finished > _count_finished_runs(previous)):
        return previous, wait.total_seconds()
    return _add_progress(previous, status, now), None


def expire_forecast(status: SweepStatus, now: datetime) -> tuple[SweepStatus, float | None]:
    """Return the status without an expected end that has passed, and the seconds until the one in it passes."""
    if status.eta is None:
        return status, None
    if status.eta > now:
        return status, (status.eta - now).total_seconds()
    forecast = status.forecast and status.forecast.model_copy(update={"end": None})
    return update_status(status, eta=None, forecast=forecast), None


def _add_progress(previous: SweepStatus, status: SweepStatus, now: datetime) -> SweepStatus:
    """Set percentage, pace and ETA; their times change only together with counts."""
    same_attempt = previous.attempt and status.attempt and previous.attempt.hash == status.attempt.hash
    if same_attempt and status.runs == previous.runs and status.phase is previous.phase:
        return update_status(
            status,
            progress_time=previous.progress_time,
            runs_per_minute=previous.runs_per_minute,
            eta=previous.eta,
            forecast=previous.forecast,
        )
    pace = _compute_pace(status, now)
    left = (status.attempt.todo or 0) - _count_finished_runs(status) if status.attempt else 0
    forecast = status.forecast
    if forecast and not pace:
        forecast = forecast.model_copy(update={"end": None})
    eta = now + timedelta(seconds=round(60 * left / pace)) if pace else None
    return update_status(
        status,
        progress=_format_percentage(status),
        progress_time=now if status.attempt and status.attempt.todo is not None else None,
        runs_per_minute=pace and round(pace, 2),
        eta=(forecast and forecast.end) or eta,
        forecast=forecast,
    )


def _compute_pace(status: SweepStatus, now: datetime) -> float | None:
    """Return runs per minute since rendering started or was resumed; None before the first finished run."""
    attempt = status.attempt
    if attempt is None or attempt.pace_time is None or status.phase is not Phase.RENDERING:
        return None
    finished = _count_finished_runs(status) - attempt.pace_runs
    seconds = (now - attempt.pace_time).total_seconds()
    return 60 * finished / seconds if finished > 0 and seconds > 0 else None


def _format_percentage(status: SweepStatus) -> str:
    """Return the finished share of all runs, rounded down, so that 100% means all."""
    counts = status.runs
    planned = status.attempt is not None and status.attempt.todo is not None
    return f"{100 * (counts.existing + counts.failed) // counts.total}%" if planned and counts.total else ""


def _count_finished_runs(status: SweepStatus) -> int:
    return status.runs.succeeded + status.runs.failed


def _without_progress(status: SweepStatus) -> dict[str, Any]:
    return {name: value for name, value in status if name not in _PROGRESS_FIELDS}
