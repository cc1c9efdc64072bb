"""Fleet of sweeps in different phases, for scrapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from prometheus_client import generate_latest

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_dataset import DatasetPhase, DatasetStatus, SplitCount
from synth_api.resources.synth_sweep import (
    FailureCount,
    Forecast,
    Phase,
    ResourceUsage,
    RunCounts,
    Spending,
    StageSeconds,
    SweepStatus,
)
from synth_operator.metrics.process import OperatorMetrics

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sweep:
    namespace: str
    name: str
    status: SweepStatus
    version: int = field(default_factory=count().__next__)


def rendering(total: int = 180) -> SweepStatus:
    return SweepStatus(
        phase=Phase.RENDERING,
        runs=RunCounts(total=total, cached=60, succeeded=40, failed=3, active=4),
        conditions=(
            Condition(
                type=ConditionType.RECONCILING, status="True", reason=Reason.RENDERING, last_transition_time=NOON
            ),
            Condition(type=ConditionType.READY, status="False", reason=Reason.RENDERING, last_transition_time=NOON),
        ),
        runs_per_minute=30.0,
        start_time=NOON,
        progress_time=NOON + timedelta(minutes=2),
        eta=NOON + timedelta(hours=1),
        failure_reasons=(FailureCount(reason="WorkerDied", runs=2), FailureCount(reason="GateFailed", runs=1)),
        usage=ResourceUsage(
            seconds=(StageSeconds(stage="physics", seconds=12.5), StageSeconds(stage="real", seconds=300.0)),
            gpu_seconds_used=280.0,
            gpu_seconds_lost=20.0,
            gpu_seconds_startup=700.0,
            bytes=123_456_789,
        ),
        spent=Spending(gpu_seconds=1200.0, cpu_seconds=2400.5, runs=43),
        forecast=Forecast(gpu_hours=1.5, cpu_hours=3.0, cost=4.2, end=NOON + timedelta(hours=1)),
    )


def waiting() -> SweepStatus:
    stalled = Condition(
        type=ConditionType.STALLED, status="True", reason=Reason.BUCKET_NOT_FOUND, last_transition_time=NOON
    )
    return SweepStatus(phase=Phase.WAITING, conditions=(stalled,), waiting_since=NOON)


def complete() -> SweepStatus:
    return SweepStatus(
        phase=Phase.COMPLETE,
        runs=RunCounts(total=10, cached=0, succeeded=10),
        start_time=NOON,
        completion_time=NOON + timedelta(minutes=5),
    )


@dataclass(frozen=True)
class Dataset:
    namespace: str
    name: str
    dataset_status: DatasetStatus


def published() -> DatasetStatus:
    ready = Condition(type=ConditionType.READY, status="True", reason=Reason.PUBLISHED, last_transition_time=NOON)
    splits = (SplitCount(split="train", runs=80, objects=900), SplitCount(split="val", runs=20, objects=200))
    return DatasetStatus(
        phase=DatasetPhase.PUBLISHED, conditions=(ready,), version="1", splits=splits, publication_time=NOON
    )


def waiting_for_sweeps() -> DatasetStatus:
    ready = Condition(
        type=ConditionType.READY, status="False", reason=Reason.SOURCE_NOT_FOUND, last_transition_time=NOON
    )
    return DatasetStatus(phase=DatasetPhase.WAITING, conditions=(ready,), waiting_since=NOON)


class Fleet:
    """Sweeps and datasets that an operator exports; tests add and remove some."""

    def __init__(self) -> None:
        self.sweeps = [
            Sweep("lab-a", "beads", rendering()),
            Sweep("lab-b", "rods", waiting()),
            Sweep("lab-b", "cubes", complete()),
        ]
        self.datasets = [Dataset("lab-a", "sem", published()), Dataset("lab-b", "both", waiting_for_sweeps())]

    def scraped(self) -> str:
        """Return the metrics of a new operator."""
        return self.text(self.operator())

    @staticmethod
    def text(operator: OperatorMetrics) -> str:
        """Return the metrics of an operator in the text format."""
        return generate_latest(operator.registry).decode()

    def operator(self) -> OperatorMetrics:
        return OperatorMetrics(
            "0.1.0", lambda: tuple(self.sweeps), lambda: 2, lambda: 7.5, datasets=lambda: tuple(self.datasets)
        )
