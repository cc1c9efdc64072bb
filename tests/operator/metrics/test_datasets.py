"""Gauges of datasets show their status at every scrape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest

from synth_api.reasons import Reason
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_dataset import DatasetPhase, DatasetStatus, SplitCount
from synth_operator.metrics.datasets import DatasetCollector

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass
class Dataset:
    namespace: str
    name: str
    dataset_status: DatasetStatus


def scrape(*datasets: Dataset) -> set[str]:
    registry = CollectorRegistry()
    registry.register(DatasetCollector(lambda: datasets))
    return {line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")}


def test_phases_conditions_and_runs_of_the_published_version() -> None:
    ready = Condition(type=ConditionType.READY, status="True", reason=Reason.PUBLISHED, last_transition_time=NOON)
    splits = (SplitCount(split="train", runs=80, objects=900), SplitCount(split="val", runs=20, objects=200))
    published = DatasetStatus(phase=DatasetPhase.PUBLISHED, conditions=(ready,), splits=splits, publication_time=NOON)
    waiting = DatasetStatus(waiting_since=NOON + timedelta(hours=1))
    lines = scrape(Dataset("lab", "sem", published), Dataset("lab", "new", waiting))

    assert {line for line in lines if not line.endswith(" 0.0")} == {
        'synth_datasets{phase="Pending"} 1.0',
        'synth_datasets{phase="Published"} 1.0',
        'synth_dataset_condition{dataset="sem",namespace="lab",reason="Published",status="True",type="Ready"} 1.0',
        'synth_dataset_runs{dataset="sem",namespace="lab",split="train"} 80.0',
        'synth_dataset_runs{dataset="sem",namespace="lab",split="val"} 20.0',
        'synth_dataset_timestamp_seconds{dataset="sem",event="published",namespace="lab"} 1.7776368e+09',
        'synth_dataset_timestamp_seconds{dataset="new",event="waiting_since",namespace="lab"} 1.7776404e+09',
    }


def test_each_phase_is_counted_without_datasets() -> None:
    assert scrape() == {f'synth_datasets{{phase="{phase.value}"}} 0.0' for phase in DatasetPhase}
