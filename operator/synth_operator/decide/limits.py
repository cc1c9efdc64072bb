"""When a sweep is given up: too many failed runs, too much time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Phase

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
    from synth_operator.decide.context import View


def failure_limit(spec: SweepSpec, total: int) -> int:
    """Failed runs that are put up with, of `total`; a percentage is rounded down."""
    written = spec.max_failed_runs
    return written if isinstance(written, int) else total * int(written.removesuffix("%")) // 100


def too_many(spec: SweepSpec, failed: int, total: int) -> Problem | None:
    """The verdict on a sweep with that many failed runs."""
    limit = failure_limit(spec, total)
    if failed <= limit:
        return None
    allowed = f"maxFailedRuns allows {limit}"
    return Problem(reason=Reason.TOO_MANY_FAILED_RUNS, message=f"{runs(failed)} of {total} failed; {allowed}.")


def deadline(view: View, status: SweepStatus) -> datetime | None:
    """When the sweep's time is over; a suspended one has all the time."""
    if view.spec.active_deadline_seconds is None or view.spec.suspend or status.start_time is None:
        return None
    return status.start_time + timedelta(seconds=view.spec.active_deadline_seconds)


def overdue(view: View, status: SweepStatus) -> Problem | None:
    """The verdict on a sweep whose time is over, with what it waited for."""
    end = deadline(view, status)
    if end is None or view.now < end:
        return None
    last = next((c.message for c in view.before.conditions if c.type == "Ready"), "")
    waited = f" It waited for this: {last}" if view.before.phase is Phase.WAITING and last else ""
    text = f"Not finished within activeDeadlineSeconds, {view.spec.active_deadline_seconds} s.{waited}"
    return Problem(reason=Reason.DEADLINE_EXCEEDED, message=text)


def runs(number: int) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} run" if number == 1 else f"{number} runs"
