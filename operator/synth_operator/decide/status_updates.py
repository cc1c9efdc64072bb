"""Copies of status values with some fields replaced; mypy checks every field's name and type."""

from __future__ import annotations

from typing import TypedDict, Unpack

from synth_api.resources.base import Time
from synth_api.resources.conditions import Condition, Problem
from synth_api.resources.synth_sweep import (
    AttemptStatus,
    FailureCount,
    Forecast,
    Phase,
    ResourceUsage,
    RunCounts,
    RunFailure,
    SettledShards,
    Spending,
    SweepStatus,
)


class StatusFields(TypedDict, total=False):
    """Fields of SweepStatus that a pass replaces, typed as in the model."""

    observed_generation: int
    phase: Phase
    conditions: tuple[Condition, ...]
    runs: RunCounts
    progress: str
    runs_per_minute: float | None
    eta: Time | None
    start_time: Time | None
    completion_time: Time | None
    progress_time: Time | None
    image: str
    devices: tuple[str, ...]
    attempt: AttemptStatus | None
    waiting_since: Time | None
    failures: tuple[RunFailure, ...]
    failure_reasons: tuple[FailureCount, ...]
    usage: ResourceUsage
    spent: Spending
    spent_until: Time | None
    forecast: Forecast | None
    dataset: str


class AttemptFields(TypedDict, total=False):
    """Fields of AttemptStatus that a pass replaces, typed as in the model."""

    todo: int | None
    batch_size: int
    pace_time: Time | None
    pace_runs: int
    verdict: Problem | None
    settled: SettledShards


class RunCountFields(TypedDict, total=False):
    """Fields of RunCounts that a pass replaces, typed as in the model."""

    succeeded: int
    failed: int
    active: int


def update_status(status: SweepStatus, **fields: Unpack[StatusFields]) -> SweepStatus:
    """Return a copy of the status with these fields replaced."""
    return status.model_copy(update=fields)


def update_attempt(attempt: AttemptStatus, **fields: Unpack[AttemptFields]) -> AttemptStatus:
    """Return a copy of the attempt with these fields replaced."""
    return attempt.model_copy(update=fields)


def update_runs(runs: RunCounts, **fields: Unpack[RunCountFields]) -> RunCounts:
    """Return a copy of the counts with these fields replaced."""
    return runs.model_copy(update=fields)
