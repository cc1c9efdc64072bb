"""Report of limits: one ConfigMap in each namespace, at most once a minute, and never in place of a user's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from synth_api.resources.namespace_limits import LimitsUse, NamespaceLimits
from synth_operator.kube.api import ApiError, JsonObject, Resource
from synth_operator.reconcile.gpu_hours import GpuDay, find_day
from synth_operator.reconcile.limiter import NamespaceUse
from synth_operator.reconcile.limits_report import LimitsReport

if TYPE_CHECKING:
    from synth_operator.kube.api import Api
    from synth_operator.reconcile.gpu_hours_record import GpuHoursRecord
    from synth_operator.reconcile.limiter import Limiter

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class Namespaces:
    """Stands for API, limiter and record at once."""

    def __init__(self) -> None:
        self.objects: dict[str, JsonObject] = {}
        self.calls: list[str] = []
        self.used = 1.0
        self.saved: list[dict[str, GpuDay]] = []
        self.seconds = 0.0

    def list_uses(self, now: datetime) -> tuple[NamespaceUse, ...]:
        return (NamespaceUse("lab", NamespaceLimits(sweeps=2), {"sweeps": self.used, "pods": 4}, 3),)

    def list_days(self, now: datetime) -> dict[str, GpuDay]:
        return {"lab": GpuDay(find_day(now), self.used, 0.0)}

    def save(self, days: dict[str, GpuDay]) -> None:
        self.saved.append(days)

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        return self.objects.get(name)

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        self.calls.append("create")
        self.objects[body["metadata"]["name"]] = body
        return body

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        self.calls.append("patch")
        self.objects[name] |= body
        return body

    def read_report(self) -> LimitsUse:
        return LimitsUse.model_validate(json.loads(self.objects["synth-limits"]["data"]["limits.json"]))


@pytest.fixture
def namespaces() -> Namespaces:
    return Namespaces()


@pytest.fixture
def report(namespaces: Namespaces) -> LimitsReport:
    found: Any = namespaces
    api: Api = found
    limiter: Limiter = found
    record: GpuHoursRecord = found
    return LimitsReport(api, limiter, record, lambda: namespaces.seconds, lambda: NOON)


def test_users_find_limits_and_use_in_their_namespace(namespaces: Namespaces, report: LimitsReport) -> None:
    report.write()

    assert namespaces.read_report() == LimitsUse(
        limits=NamespaceLimits(sweeps=2), use={"sweeps": 1, "pods": 4}, waiting=3
    )


def test_each_configmap_is_written_at_most_once_a_minute(namespaces: Namespaces, report: LimitsReport) -> None:
    for second in range(0, 180, 5):
        namespaces.seconds, namespaces.used = second, second
        report.write()

    assert namespaces.calls == ["create", "patch", "patch"]
    assert len(namespaces.saved) == 3


def test_what_is_the_same_is_not_written_again(namespaces: Namespaces, report: LimitsReport) -> None:
    for second in range(0, 600, 5):
        namespaces.seconds = second
        report.write()

    assert namespaces.calls == ["create"]
    assert len(namespaces.saved) == 1


def test_gpu_hours_are_written_once_more_at_the_end(namespaces: Namespaces, report: LimitsReport) -> None:
    report.start()
    report.write()
    namespaces.used = 2.0

    report.stop()

    assert namespaces.saved[-1]["lab"].used == 2


def test_an_object_of_a_user_stays_as_it_is(
    namespaces: Namespaces, report: LimitsReport, caplog: pytest.LogCaptureFixture
) -> None:
    namespaces.objects["synth-limits"] = {"metadata": {"labels": {}}, "data": {"mine": "1"}}

    report.write()

    assert namespaces.objects["synth-limits"]["data"] == {"mine": "1"}
    assert "belongs to something else" in caplog.text


def test_a_refusal_ends_nothing(namespaces: Namespaces, report: LimitsReport, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object) -> JsonObject:
        raise ApiError(403, "Forbidden", "the namespace goes")

    namespaces.create = refuse  # type: ignore[method-assign]

    report.write()

    assert "limits of namespace 'lab' are not reported" in caplog.text
