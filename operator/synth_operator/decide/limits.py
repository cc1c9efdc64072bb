"""Limits at which a sweep is given up: failed runs and time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Phase
from synth_operator.decide.outcome import find_ready_message

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
    from synth_operator.decide.context import Context


def compute_failure_limit(spec: SweepSpec, total: int) -> int:
    """Return the number of failed runs, of `total`, that `maxFailedRuns` allows; percentages are rounded down."""
    limit = spec.max_failed_runs
    return limit if isinstance(limit, int) else total * int(limit.removesuffix("%")) // 100


def check_failure_limit(spec: SweepSpec, failed: int, total: int) -> Problem | None:
    """Return the problem of a sweep with more failed runs than allowed, else None."""
    limit = compute_failure_limit(spec, total)
    if failed <= limit:
        return None
    message = f"{format_runs(failed)} of {total} failed; maxFailedRuns allows {limit}."
    return Problem(reason=Reason.TOO_MANY_FAILED_RUNS, message=message)


def compute_deadline(context: Context, status: SweepStatus) -> datetime | None:
    """Return the time at which `activeDeadlineSeconds` is over; None without it or while the sweep is suspended."""
    if context.spec.active_deadline_seconds is None or context.spec.suspend or status.start_time is None:
        return None
    return status.start_time + timedelta(seconds=context.spec.active_deadline_seconds)


def check_deadline(context: Context, status: SweepStatus) -> Problem | None:
    """Return the problem of a sweep after its deadline, with the reason it waited for last, else None."""
    deadline = compute_deadline(context, status)
    if deadline is None or context.now < deadline:
        return None
    previous = context.previous_status
    waiting = find_ready_message(previous) if previous.phase is Phase.WAITING else ""
    cause = f" It was waiting: {waiting}" if waiting else ""
    message = f"Not finished within activeDeadlineSeconds, {context.spec.active_deadline_seconds} s.{cause}"
    return Problem(reason=Reason.DEADLINE_EXCEEDED, message=message)


def format_runs(number: int) -> str:
    """Return `1 run`, `2 runs` and so on."""
    return f"{number} run" if number == 1 else f"{number} runs"
