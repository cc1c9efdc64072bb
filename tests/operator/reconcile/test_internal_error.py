"""A pass that raises: its sweep says so, the others are reconciled, and it ends by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from simulated_cluster.simulation import OUTPUT, RULES

from synth_api.reasons import Reason
from synth_api.resources.conditions import ConditionType
from synth_api.resources.synth_dataset import DatasetStatus
from synth_api.resources.synth_recipe import RecipeStatus
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_operator.kube.api import ApiError, JsonObject, Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.reconcile import controller as controllers
from synth_operator.reconcile import reconciler as reconcilers
from synth_operator.reconcile.controller import Controller
from synth_operator.reconcile.internal_error import report_internal_error
from synth_operator.watch.kopf_setup import ObjectKey
from synth_operator.watch.watches import DatasetSnapshot, Snapshot

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECRET = "AKIASECRETSECRETSECRET"
SENTENCE = "The operator failed here with OverflowError and tries again; the traceback is in its log."
SECONDS = 20.0
AnyStatus = SweepStatus | RecipeStatus | DatasetStatus


class Objects:
    """Sweeps and recipes of a namespace, as watches and as API; writes are counted."""

    problem = ""
    is_alive = True

    def __init__(self, *_: Any) -> None:
        self.bodies: dict[tuple[Resource, str], JsonObject] = {}
        self.writes: list[str] = []
        self.refusal: ApiError | None = None
        self._changed = threading.Condition()

    def add(self, resource: Resource, name: str, spec: JsonObject, status: JsonObject | None = None) -> None:
        metadata = {"name": name, "namespace": "lab", "uid": name, "generation": 2, "resourceVersion": "1"}
        self.bodies[resource, name] = {"metadata": metadata, "spec": spec, "status": status or {}}

    def take_snapshot(self, _namespace: str, name: str) -> Snapshot:
        body = self.bodies.get((Resource.SWEEPS, name))
        return Snapshot(SweepObject.from_json(body) if body else None, (), (), None)

    def take_dataset_snapshot(self, _namespace: str, name: str) -> DatasetSnapshot:
        body = self.bodies.get((Resource.DATASETS, name))
        return DatasetSnapshot(DatasetObject.from_json(body) if body else None, (), (), {}, {})

    def find_recipe(self, _namespace: str, name: str) -> RecipeObject | None:
        body = self.bodies.get((Resource.RECIPES, name))
        return RecipeObject.from_json(body) if body else None

    def replace_status(self, resource: Resource, _namespace: str, name: str, body: JsonObject) -> JsonObject:
        with self._changed:
            self.writes.append(name)
            if self.refusal:
                raise self.refusal
            found = self.bodies[resource, name]
            found["status"] = body["status"]
            found["metadata"]["resourceVersion"] = str(len(self.writes) + 1)
            self._changed.notify_all()
            return found

    def create(self, _resource: Resource, _namespace: str, body: JsonObject) -> JsonObject:
        return body

    def find(self, *_: Any, **__: Any) -> list[JsonObject]:
        return []

    def list_names(self) -> dict[str, set[str]]:
        return {"lab": {name for resource, name in self.bodies if resource is Resource.SWEEPS}}

    def is_settled(self, _namespace: str, _name: str) -> bool:
        return False

    def read(self, resource: Resource, _namespace: str, name: str) -> JsonObject | None:
        return self.bodies.get((resource, name))

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wait_for(self, name: str, reason: str, resource: Resource = Resource.SWEEPS) -> None:
        """Wait until the condition Ready of an object has a reason."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.find_reason(name, resource) == reason, SECONDS), self.bodies

    def find_reason(self, name: str, resource: Resource) -> str:
        conditions = self.bodies[resource, name]["status"].get("conditions", ())
        return next((each["reason"] for each in conditions if each["type"] == "Ready"), "")


class Metrics:
    def __init__(self) -> None:
        self.errors: list[str] = []
        self.has_errors = threading.Event()

    def record_reconcile(self, seconds: float, *, ok: bool) -> None: ...

    def record_watch_activity(self, resource: str) -> None: ...

    def record_internal_error(self, resource: str) -> None:
        self.errors.append(resource)
        self.has_errors.set()


class NoChecks:
    """A pool that is not asked: without its recipe no sweep is checked."""


def build_spec() -> JsonObject:
    return {"recipeRef": {"name": "missing"}, "output": OUTPUT}


def report(objects: Objects, resource: Resource, name: str, error: Exception) -> AnyStatus:
    key = ObjectKey(resource, "lab", name)
    report_internal_error(objects, objects, key, error, NOON)  # type: ignore[arg-type]
    found = {
        Resource.SWEEPS: objects.take_snapshot("lab", name).sweep,
        Resource.DATASETS: objects.take_dataset_snapshot("lab", name).dataset,
        Resource.RECIPES: objects.find_recipe("lab", name),
    }[resource]
    assert found
    return found.status


def list_conditions(status: AnyStatus) -> list[tuple[ConditionType, str, Reason, str]]:
    return [(each.type, each.status, each.reason, each.message) for each in status.conditions]


def test_the_condition_names_the_class_of_the_error_and_nothing_of_its_text() -> None:
    objects = Objects()
    objects.add(Resource.SWEEPS, "s", build_spec(), {"phase": "Rendering", "runs": {"total": 12, "succeeded": 5}})

    status = report(objects, Resource.SWEEPS, "s", OverflowError(f"\x1b[31m{SECRET}"))

    assert isinstance(status, SweepStatus)
    assert list_conditions(status) == [
        (ConditionType.READY, "False", Reason.INTERNAL_ERROR, SENTENCE),
        (ConditionType.RECONCILING, "True", Reason.INTERNAL_ERROR, SENTENCE),
    ]
    assert (status.phase, status.runs.succeeded, status.observed_generation) == (Phase.RENDERING, 5, 2)
    assert SECRET not in str(objects.bodies)


def test_it_is_written_once() -> None:
    objects = Objects()
    objects.add(Resource.SWEEPS, "s", build_spec())
    for _ in range(5):
        report(objects, Resource.SWEEPS, "s", OverflowError())

    assert objects.writes == ["s"]


def test_the_result_of_a_finished_sweep_stays() -> None:
    objects = Objects()
    time = "2026-05-01T11:00:00Z"
    ready = {"type": "Ready", "status": "True", "reason": "Complete", "message": "all", "lastTransitionTime": time}
    objects.add(Resource.SWEEPS, "s", build_spec(), {"completionTime": time, "conditions": [ready]})

    status = report(objects, Resource.SWEEPS, "s", OverflowError())

    assert [(kind, state, reason) for kind, state, reason, _ in list_conditions(status)] == [
        (ConditionType.READY, "True", Reason.COMPLETE),
        (ConditionType.RECONCILING, "True", Reason.INTERNAL_ERROR),
    ]


def test_a_recipe_says_it_too_and_is_checked_again() -> None:
    objects = Objects()
    objects.add(Resource.RECIPES, "r", {"recipe": {}})

    status = report(objects, Resource.RECIPES, "r", RecursionError())

    assert [reason for _, _, reason, _ in list_conditions(status)] == [Reason.INTERNAL_ERROR] * 2
    assert status.observed_generation == 0


def test_a_published_dataset_stays_ready_and_another_one_says_it() -> None:
    objects = Objects()
    spec = {"version": "1", "sources": [{"sweepRef": {"name": "s"}}], "exports": [{"format": "coco"}]}
    ready = {"type": "Ready", "status": "True", "reason": "Published", "lastTransitionTime": "2026-05-01T11:00:00Z"}
    objects.add(Resource.DATASETS, "published", spec, {"phase": "Published", "conditions": [ready]})
    objects.add(Resource.DATASETS, "new", spec)

    states = {
        name: [
            (kind, state) for kind, state, *_ in list_conditions(report(objects, Resource.DATASETS, name, OSError()))
        ]
        for name in ("published", "new")
    }
    assert states == {
        "published": [(ConditionType.READY, "True"), (ConditionType.RECONCILING, "True")],
        "new": [(ConditionType.READY, "False"), (ConditionType.RECONCILING, "True")],
    }


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Objects:
    found = Objects()
    monkeypatch.setattr(controllers, "Watches", lambda *_: found)
    return found


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def controller(objects: Objects, metrics: Metrics) -> Iterator[Controller]:
    running = Controller(objects, None, RULES, NoChecks(), metrics)  # type: ignore[arg-type]
    yield running
    running.drain()


def test_a_sweep_whose_pass_raises_is_tried_again_and_stops_no_other(
    objects: Objects, metrics: Metrics, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, broken = reconcilers.decide, threading.Event()
    broken.set()

    def fail_one(sweep: SweepObject, *arguments: Any) -> Any:
        if sweep.name == "forged" and broken.is_set():
            raise OverflowError(SECRET)
        return decide(sweep, *arguments)

    monkeypatch.setattr(reconcilers, "decide", fail_one)
    for name in ("forged", "honest"):
        objects.add(Resource.SWEEPS, name, build_spec())
        controller._queue.add(ObjectKey(Resource.SWEEPS, "lab", name))

    objects.wait_for("forged", "InternalError")
    objects.wait_for("honest", "RecipeNotFound")
    broken.clear()
    objects.wait_for("forged", "RecipeNotFound")

    assert set(metrics.errors) == {"synthsweeps"}
    assert SECRET not in str(objects.bodies)


def test_a_dataset_is_looked_at_and_says_which_sweep_it_waits_for(objects: Objects, controller: Controller) -> None:
    spec = {"version": "1", "sources": [{"sweepRef": {"name": "s"}}], "exports": [{"format": "coco"}]}
    objects.add(Resource.DATASETS, "sem", spec)
    controller._queue.add(ObjectKey(Resource.DATASETS, "lab", "sem"))
    objects.wait_for("sem", "SourceNotFound", Resource.DATASETS)


def test_a_status_that_the_api_does_not_take_is_the_operators_fault(
    objects: Objects, metrics: Metrics, controller: Controller
) -> None:
    objects.refusal = ApiError(422, "Invalid", "status.runs.succeeded: must be at most 9223372036854775807")
    objects.add(Resource.SWEEPS, "s", build_spec())
    controller._queue.add(ObjectKey(Resource.SWEEPS, "lab", "s"))
    assert metrics.has_errors.wait(SECONDS)
    objects.refusal = None

    objects.wait_for("s", "RecipeNotFound")
