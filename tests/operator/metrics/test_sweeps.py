"""Gauges of sweeps show their status at every scrape."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families
from trial_fleet import NOON, Fleet, Sweep, rendering

from synth_api.resources.synth_sweep import SweepStatus

BEADS = {"namespace": "lab-a", "sweep": "beads"}


def values(text: str, metric: str, **labels: str) -> list[float]:
    """Return the values of all samples with these labels."""
    return [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    ]


def sweep_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("synth_sweep")]


def series(text: str) -> set[str]:
    return {line.rsplit(" ", 1)[0] for line in sweep_lines(text)}


def test_runs_by_result_add_up_to_the_total() -> None:
    text = Fleet().scraped()
    counts = {
        result: values(text, "synth_sweep_runs", **BEADS, result=result)
        for result in ("cached", "succeeded", "failed", "pending")
    }
    assert counts == {"cached": [60], "succeeded": [40], "failed": [3], "pending": [77]}
    assert sum(values(text, "synth_sweep_runs", **BEADS)) == 180


@pytest.mark.parametrize(
    ("metric", "labels", "value"),
    [
        ("synth_sweep_failed_runs", {"reason": "WorkerDied"}, 2),
        ("synth_sweep_active_pods", {}, 4),
        ("synth_sweep_runs_per_second", {}, 0.5),
        ("synth_sweep_stage_seconds", {"stage": "real"}, 300),
        ("synth_sweep_gpu_seconds", {"outcome": "used"}, 280),
        ("synth_sweep_gpu_seconds", {"outcome": "lost"}, 20),
        ("synth_sweep_gpu_seconds", {"outcome": "startup"}, 700),
        ("synth_sweep_spent_seconds", {"resource": "gpu"}, 1200),
        ("synth_sweep_spent_seconds", {"resource": "cpu"}, 2400.5),
        ("synth_sweep_forecast_seconds", {"resource": "gpu"}, 5400),
        ("synth_sweep_forecast_seconds", {"resource": "cpu"}, 10800),
        ("synth_sweep_forecast_cost", {}, 4.2),
        ("synth_sweep_written_bytes", {}, 123_456_789),
        ("synth_sweep_timestamp_seconds", {"event": "started"}, NOON.timestamp()),
        ("synth_sweep_phase", {"phase": "Rendering"}, 1),
    ],
)
def test_values_of_a_status_are_exported_in_base_units(metric: str, labels: dict[str, str], value: float) -> None:
    assert values(Fleet().scraped(), metric, **BEADS, **labels) == [value]


@pytest.mark.parametrize(
    ("sweep", "type_", "status", "reason"),
    [
        ("beads", "Reconciling", "True", "Rendering"),
        ("beads", "Ready", "False", "Rendering"),
        ("rods", "Stalled", "True", "BucketNotFound"),
    ],
)
def test_each_condition_is_exported_with_its_status_and_reason(
    sweep: str, type_: str, status: str, reason: str
) -> None:
    text = Fleet().scraped()
    assert values(text, "synth_sweep_condition", sweep=sweep, type=type_, status=status, reason=reason) == [1]
    assert len(values(text, "synth_sweep_condition", sweep=sweep, type=type_)) == 1


def test_sweeps_are_counted_by_phase_with_zeros() -> None:
    counts = dict(re.findall(r'synth_sweeps\{phase="(\w+)"\} (\S+)', Fleet().scraped()))
    assert {phase for phase, count in counts.items() if count == "1.0"} == {"Rendering", "Waiting", "Complete"}
    assert {count for phase, count in counts.items() if phase in {"Pending", "Failed", "Deleting"}} == {"0.0"}


def test_a_restarted_operator_exports_the_same_gauges() -> None:
    fleet = Fleet()
    first, second = fleet.operator(), fleet.operator()
    first.record_reconcile(0.1, ok=True)
    assert sweep_lines(fleet.text(first)) == sweep_lines(fleet.text(second)) != []


def test_a_deleted_sweep_has_no_series() -> None:
    fleet = Fleet()
    operator = fleet.operator()
    assert "beads" in fleet.text(operator)
    fleet.sweeps = [sweep for sweep in fleet.sweeps if sweep.name != "beads"]
    assert "beads" not in fleet.text(operator)


def test_a_million_runs_have_as_many_series_as_ten() -> None:
    few, many = Fleet(), Fleet()
    few.sweeps = [Sweep("lab", "s", rendering(total=110))]
    many.sweeps = [Sweep("lab", "s", rendering(total=1_000_000))]
    assert series(few.scraped()) == series(many.scraped())


def test_a_sweep_without_status_has_counts_and_no_times() -> None:
    fleet = Fleet()
    fleet.sweeps = [Sweep("lab", "fresh", SweepStatus())]
    text = fleet.scraped()
    assert values(text, "synth_sweep_runs", sweep="fresh", result="pending") == [0]
    assert values(text, "synth_sweep_timestamp_seconds") == []
