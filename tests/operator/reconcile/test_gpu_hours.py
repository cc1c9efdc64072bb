"""GPU hours of a day: each GPU second once, whatever happens to sweeps, pods and the operator."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from synth_operator.configuration import Lease
from synth_operator.kube.api import JsonObject, Resource
from synth_operator.kube.pod_object import PodObject
from synth_operator.reconcile.gpu_hours import GpuDay, GpuHours, find_day
from synth_operator.reconcile.gpu_hours_record import GpuHoursRecord

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
TODAY = find_day(NOON)
BLANK = PodObject(name="x", job="j", owner="uid-j", kind="render", index=0, phase="Pending", created=NOON)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def pod(name: str, start: float, end: float | None = None, gpus: int = 1) -> PodObject:
    phase = "Running" if end is None else "Succeeded"
    finish = None if end is None else at(end)
    return replace(BLANK, name=name, phase=phase, gpus=gpus, start_time=at(start), finish_time=finish)


def count() -> GpuHours:
    return GpuHours(GpuDay(TODAY, 0.0, 0.0))


def test_a_pod_counts_its_gpus_from_its_start_to_its_end() -> None:
    hours = count()

    hours.record("a", [pod("x", 0, gpus=4)], at(5))
    assert hours.compute_seconds(at(10)) == 40
    assert hours.rate == 4
    hours.record("a", [pod("x", 0, 12, gpus=4)], at(20))

    assert hours.compute_seconds(at(100)) == 48
    assert hours.rate == 0


def test_pods_without_a_gpu_or_a_node_count_nothing() -> None:
    hours = count()

    hours.record("a", [replace(BLANK, gpus=2), pod("y", 0, gpus=0)], at(10))

    assert hours.compute_seconds(at(20)) == 0


def test_a_pod_that_is_gone_stays_counted_once() -> None:
    hours = count()
    hours.record("a", [pod("x", 0, 10), pod("y", 0)], at(10))

    hours.record("a", [pod("y", 0)], at(20))
    hours.record("a", [], at(30))
    hours.record("a", [], at(40))

    assert hours.compute_seconds(at(50)) == 10 + 30


def test_the_day_begins_at_midnight_utc() -> None:
    hours = count()
    evening = 12 * 3600 - 100
    hours.record("a", [pod("x", evening), pod("y", 0, 50)], at(evening + 10))
    assert hours.compute_seconds(at(evening + 20)) == 50 + 20

    assert hours.compute_seconds(at(12 * 3600 + 30)) == 30
    hours.record("a", [pod("x", evening, 12 * 3600 + 40)], at(12 * 3600 + 60))
    assert hours.compute_seconds(at(12 * 3600 + 70)) == 40


def test_another_process_goes_on_counting() -> None:
    hours = count()
    hours.record("a", [pod("x", 0), pod("y", 0, 10)], at(10))
    hours.record("a", [pod("x", 0)], at(20))
    day = hours.summarize(at(30))
    assert day == GpuDay(TODAY, 40, 10)

    later = GpuHours(day)
    assert later.compute_seconds(at(30)) == 40, "known before any pod is"
    later.record("a", [pod("x", 0)], at(60))

    assert later.compute_seconds(at(60)) == 70


def test_pods_deleted_while_no_operator_ran_stay_in_what_was_used() -> None:
    later = GpuHours(GpuDay(TODAY, 40, 10))

    later.record("a", [], at(60))

    assert later.compute_seconds(at(60)) == 40


class ConfigMaps:
    """API with the operator's ConfigMaps."""

    def __init__(self, **data: str) -> None:
        self.data = data
        self.asked: list[tuple[str, str]] = []

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        self.asked.append((namespace, name))
        return {"data": self.data} if self.data else {}

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        self.asked.append((namespace, name))
        self.data |= body["data"]
        return body

    def __getattr__(self, call: str) -> Any:
        raise AssertionError(f"the record needs no {call}")


def test_the_record_is_read_as_it_was_written() -> None:
    api = ConfigMaps()
    record = GpuHoursRecord(api, Lease(name="synth-operator", namespace="synth"))
    assert record.load() == {}

    record.save({"lab": GpuDay(TODAY, 40.4, 10.0)})

    assert record.load() == {"lab": GpuDay(TODAY, 40, 10)}
    assert set(api.asked) == {("synth", "synth-operator-gpu-hours")}


@pytest.mark.parametrize("text", ["{", "[]", '{"lab": 1}', '{"lab": {"day": "x"}}', json.dumps({"lab": {"day": 1}})])
def test_a_record_that_cannot_be_read_begins_at_zero(text: str, caplog: pytest.LogCaptureFixture) -> None:
    record = GpuHoursRecord(ConfigMaps(**{"gpu-hours.json": text}), Lease(name="o", namespace="synth"))

    assert record.load() == {}
    assert "o-gpu-hours" in caplog.text
