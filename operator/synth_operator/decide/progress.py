"""Progress in a status, and how often it is written (docs/contracts.md, section 7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_operator.decide.outcome import changed

if TYPE_CHECKING:
    from datetime import datetime

_STEPS: Final = 33
"""Progress is written at most so many times: steps of 3 %, since at least 2 % are asked for."""
_DISTANCE: Final = timedelta(seconds=10)
_FIELDS: Final = (
    "runs",
    "failures",
    "failure_reasons",
    "usage",
    "image",
    "progress",
    "progress_time",
    "runs_per_minute",
    "eta",
)


def paced(
    before: SweepStatus, after: SweepStatus, now: datetime, *, at_once: bool = False
) -> tuple[SweepStatus, float | None]:
    """What to write of a new status: all of it, or nothing when only progress differs that can wait.

    Also the seconds after which progress that has to wait may be written.
    """
    counted = at_once and _finished(after) != _finished(before)
    if counted or _without_progress(before) != _without_progress(after):
        return _told(before, after, now), None
    if after.runs == before.runs:
        return before, None
    step = max(1, -(-after.runs.total // _STEPS))
    finished, last = _finished(after), after.attempt is not None and _finished(after) == after.attempt.todo
    if not last and finished - _finished(before) < step:
        return before, None
    wait = before.progress_time + _DISTANCE - now if before.progress_time is not None else timedelta(0)
    if wait > timedelta(0) and not (last and finished > _finished(before)):
        return before, wait.total_seconds()
    return _told(before, after, now), None


def _told(before: SweepStatus, after: SweepStatus, now: datetime) -> SweepStatus:
    """With percentage, pace and expected end; moments change only together with counts."""
    same = before.attempt and after.attempt and before.attempt.hash == after.attempt.hash
    moved = not same or after.runs != before.runs or after.phase is not before.phase
    if not moved:
        return changed(after, **{name: getattr(before, name) for name in ("progress_time", "runs_per_minute", "eta")})
    pace = _pace(after, now)
    left = (after.attempt.todo or 0) - _finished(after) if after.attempt else 0
    return changed(
        after,
        progress=_percentage(after),
        progress_time=now if after.attempt and after.attempt.todo is not None else None,
        runs_per_minute=pace and round(pace, 2),
        eta=now + timedelta(seconds=round(60 * left / pace)) if pace else None,
    )


def _pace(status: SweepStatus, now: datetime) -> float | None:
    """Runs per minute since rendering began or was resumed; none while nothing is finished."""
    attempt = status.attempt
    if attempt is None or attempt.pace_time is None or status.phase is not Phase.RENDERING:
        return None
    finished = _finished(status) - attempt.pace_runs
    seconds = (now - attempt.pace_time).total_seconds()
    return 60 * finished / seconds if finished > 0 and seconds > 0 else None


def _percentage(status: SweepStatus) -> str:
    """Finished share of all runs, rounded down: 100% only when all are."""
    counts = status.runs
    planned = status.attempt is not None and status.attempt.todo is not None
    return f"{100 * (counts.done + counts.failed) // counts.total}%" if planned and counts.total else ""


def _finished(status: SweepStatus) -> int:
    return status.runs.succeeded + status.runs.failed


def _without_progress(status: SweepStatus) -> dict[str, Any]:
    return {name: value for name, value in status if name not in _FIELDS}
