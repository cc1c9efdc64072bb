import copy
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from controllers import build_controller

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import HASH_ANNOTATION, JOB_LABEL, OWNER_ANNOTATION, SHARD_LABEL, SWEEP_LABEL
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_operator.decide.actions import (
    Action,
    CreateInput,
    CreateJob,
    DeleteInput,
    DeleteJob,
    EmitEvent,
    PatchJob,
    RequeueAfter,
    SetFinalizers,
    WriteStatus,
)
from synth_operator.decide.observed_state import ObservedState
from synth_operator.kube.api import CONFLICT, NOT_FOUND, ApiError, JsonObject, Resource
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.reconcile.apply import ApplyResult, StaleError, apply

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
PLANNING = WriteStatus(SweepStatus(phase=Phase.PLANNING))


class MemoryApi:
    """API with one namespace and the server's rules for names, resource versions and uids."""

    def __init__(self) -> None:
        self.objects: dict[tuple[Resource, str], JsonObject] = {}
        self.calls: list[str] = []
        self.refusal: ApiError | None = None
        self._numbers = count(1)

    def put(self, resource: Resource, name: str, **body: Any) -> JsonObject:
        number = str(next(self._numbers))
        metadata = {"namespace": "lab", **body.pop("metadata", {}), "name": name, "uid": f"uid-{number}"}
        stored = {
            **body,
            "metadata": {"creationTimestamp": "2026-05-01T12:00:00Z", **metadata, "resourceVersion": number},
        }
        self.objects[resource, name] = stored
        return copy.deepcopy(stored)

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        self._call("create", resource)
        if self.refusal:
            raise self.refusal
        if (resource, body["metadata"]["name"]) in self.objects:
            raise ApiError(CONFLICT, "AlreadyExists", "its name is taken")
        return self.put(resource, **{**copy.deepcopy(body), "name": body["metadata"]["name"]})

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        self._call("get", resource)
        return copy.deepcopy(self.objects.get((resource, name)))

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        self._call("list", resource)
        return [copy.deepcopy(body) for (kind, _), body in self.objects.items() if kind is resource]

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        self._call("patch", resource)
        return self._change(resource, name, body)

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        self._call("status", resource)
        return self._change(resource, name, body)

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        self._call("delete", resource)
        existing = self.objects.get((resource, name))
        if existing and uid in ("", existing["metadata"]["uid"]):
            del self.objects[resource, name]

    def _call(self, verb: str, resource: Resource) -> None:
        self.calls.append(f"{verb} {resource.plural}")

    def _change(self, resource: Resource, name: str, body: JsonObject) -> JsonObject:
        existing = self.objects.get((resource, name))
        if existing is None:
            raise ApiError(NOT_FOUND, "NotFound", "existing is none")
        for key in ("uid", "resourceVersion"):
            if body["metadata"].get(key, existing["metadata"][key]) != existing["metadata"][key]:
                raise ApiError(CONFLICT, "Conflict", "it is another one")
        metadata = {**existing["metadata"], **body["metadata"], "resourceVersion": str(next(self._numbers))}
        self.objects[resource, name] = {**existing, **body, "metadata": metadata}
        return copy.deepcopy(self.objects[resource, name])


def job(name: str, owner: str = "uid-1", digest: str = "h", **metadata: Any) -> JsonObject:
    return {
        "metadata": {
            "name": name,
            "labels": {SWEEP_LABEL: "s", JOB_LABEL: JobKind.PLAN.value},
            "annotations": {OWNER_ANNOTATION: owner, HASH_ANNOTATION: digest},
            "ownerReferences": [build_controller(Resource.SWEEPS, "s", owner)],
            **metadata,
        },
        "spec": {"parallelism": 1},
    }


@pytest.fixture
def api() -> MemoryApi:
    return MemoryApi()


@pytest.fixture
def sweep(api: MemoryApi) -> SweepObject:
    return SweepObject.from_json(api.put(Resource.SWEEPS, "s", spec={}))


def apply_actions(
    api: MemoryApi, sweep: SweepObject, *actions: Action, jobs: tuple[JobObject, ...] = ()
) -> ApplyResult[SweepObject]:
    api.calls.clear()
    checked = Problem(reason=Reason.OUTPUT_MISSING, message="")
    return apply(api, sweep, ObservedState(validation=checked, jobs=jobs), actions, NOW)


def test_the_status_is_written_once_and_the_written_sweep_returned(api: MemoryApi, sweep: SweepObject) -> None:
    result = apply_actions(api, sweep, PLANNING)

    assert api.calls == ["status synthsweeps"]
    assert result.owner.status.phase is Phase.PLANNING
    assert int(result.owner.resource_version) > int(sweep.resource_version)


def test_the_status_of_a_newer_sweep_is_never_replaced(api: MemoryApi, sweep: SweepObject) -> None:
    apply_actions(api, sweep, PLANNING)

    with pytest.raises(StaleError):
        apply_actions(api, sweep, WriteStatus(SweepStatus(phase=Phase.FAILED)), CreateJob(job("s-p")))
    assert api.objects[Resource.SWEEPS, "s"]["status"]["phase"] == "Planning"
    assert (Resource.JOBS, "s-p") not in api.objects


def test_a_sweep_is_not_read_after_its_status_was_written(api: MemoryApi, sweep: SweepObject) -> None:
    result = apply_actions(api, sweep, PLANNING, CreateInput(job("s-in")), CreateJob(job("s-p")))

    assert api.calls == ["status synthsweeps", "create configmaps", "list jobs", "create jobs"]
    assert (result.inputs, result.jobs) == ({"s-in"}, {"s-p"})


def test_without_a_status_write_the_sweep_is_read_once(api: MemoryApi, sweep: SweepObject) -> None:
    apply_actions(api, sweep, CreateInput(job("s-in")), CreateJob(job("s-p")))

    assert api.calls == ["get synthsweeps", "create configmaps", "list jobs", "create jobs"]


def test_no_job_is_created_for_a_changed_sweep(api: MemoryApi, sweep: SweepObject) -> None:
    api.patch(Resource.SWEEPS, "lab", "s", {"metadata": {}, "spec": {"suspend": True}})

    with pytest.raises(StaleError):
        apply_actions(api, sweep, CreateJob(job("s-p")))
    assert (Resource.JOBS, "s-p") not in api.objects


def test_no_job_is_created_while_an_unobserved_one_exists(api: MemoryApi, sweep: SweepObject) -> None:
    other = api.put(Resource.JOBS, **{**job("s-r0"), "name": "s-r0"})

    with pytest.raises(StaleError):
        apply_actions(api, sweep, CreateJob(job("s-r1")))
    apply_actions(api, sweep, CreateJob(job("s-r1")), jobs=(JobObject.from_json(other),))
    assert (Resource.JOBS, "s-r1") in api.objects


@pytest.mark.parametrize(
    "foreign",
    [
        {"labels": {SWEEP_LABEL: "s"}, "ownerReferences": []},
        {"labels": {SWEEP_LABEL: "s"}},
        {"labels": {SWEEP_LABEL: "s", JOB_LABEL: "wonderful"}},
        {"labels": {SWEEP_LABEL: "s", JOB_LABEL: "render", SHARD_LABEL: "first"}},
        {"ownerReferences": [build_controller(Resource.SWEEPS, "s", "uid-of-a-former-sweep")]},
        {"ownerReferences": [build_controller(Resource.RECIPES, "s", "uid-1")]},
        {"ownerReferences": [{**build_controller(Resource.SWEEPS, "s", "uid-1"), "controller": False}]},
    ],
)
def test_a_job_with_only_our_label_stops_nothing(api: MemoryApi, sweep: SweepObject, foreign: JsonObject) -> None:
    api.put(Resource.JOBS, **{**job("another"), "name": "another"})
    api.objects[Resource.JOBS, "another"]["metadata"] |= foreign

    apply_actions(api, sweep, CreateJob(job("s-r1")))

    assert (Resource.JOBS, "s-r1") in api.objects


def test_an_object_created_before_counts_as_success(api: MemoryApi, sweep: SweepObject) -> None:
    apply_actions(api, sweep, CreateInput(job("s-in")))

    assert apply_actions(api, sweep, CreateInput(job("s-in"))).inputs == {"s-in"}


@pytest.mark.parametrize(
    "existing",
    [
        job("s-in", owner="uid-99"),
        job("s-in", digest="other"),
        job("s-in", ownerReferences=[]),
        job("s-in", deletionTimestamp="2026-05-01T12:00:00Z"),
    ],
)
def test_a_name_of_another_owner_is_a_refusal(api: MemoryApi, sweep: SweepObject, existing: JsonObject) -> None:
    api.put(Resource.INPUTS, **{**existing, "name": "s-in"})

    result = apply_actions(api, sweep, CreateInput(job("s-in")), CreateJob(job("s-p")))

    assert result.refusal is not None
    assert (result.refusal.name, result.refusal.code, result.refusal.at) == ("s-in", CONFLICT, NOW)
    assert (Resource.JOBS, "s-p") not in api.objects


@pytest.mark.parametrize("code", [403, 422])
def test_a_refusal_ends_the_pass(api: MemoryApi, sweep: SweepObject, code: int) -> None:
    api.refusal = ApiError(code, "Forbidden", "exceeded quota: jobs")

    result = apply_actions(api, sweep, CreateJob(job("s-p")), PLANNING)

    assert result.refusal is not None
    assert (result.refusal.name, result.refusal.code) == ("s-p", code)
    assert result.refusal.message == "exceeded quota: jobs"
    assert result.owner is sweep


def test_a_missing_answer_is_no_refusal(api: MemoryApi, sweep: SweepObject) -> None:
    api.refusal = ApiError(None, "ReadTimeout", "no answer")

    with pytest.raises(ApiError):
        apply_actions(api, sweep, CreateJob(job("s-p")))


def test_only_the_job_with_the_observed_uid_is_patched_or_deleted(api: MemoryApi, sweep: SweepObject) -> None:
    existing = api.put(Resource.JOBS, **{**job("s-r0"), "name": "s-r0"})

    with pytest.raises(StaleError):
        apply_actions(api, sweep, PatchJob("s-r0", "uid-99", suspend=True))
    apply_actions(api, sweep, DeleteJob("s-r0", "uid-99"))
    assert api.objects[Resource.JOBS, "s-r0"] == existing

    apply_actions(api, sweep, PatchJob("s-r0", existing["metadata"]["uid"], suspend=True))
    assert api.objects[Resource.JOBS, "s-r0"]["spec"] == {"suspend": True}
    apply_actions(api, sweep, DeleteJob("s-r0", existing["metadata"]["uid"]))
    assert (Resource.JOBS, "s-r0") not in api.objects


def test_deleted_inputs_are_in_the_result(api: MemoryApi, sweep: SweepObject) -> None:
    apply_actions(api, sweep, CreateInput(job("s-in")))

    assert apply_actions(api, sweep, DeleteInput("s-in")).deleted_inputs == {"s-in"}
    assert apply_actions(api, sweep, DeleteInput("s-in")).deleted_inputs == {"s-in"}


def test_finalizers_are_replaced_only_in_the_observed_version(api: MemoryApi, sweep: SweepObject) -> None:
    result = apply_actions(api, sweep, SetFinalizers(("a/b",)))
    assert result.owner.finalizers == ("a/b",)

    with pytest.raises(StaleError):
        apply_actions(api, sweep, SetFinalizers(()))


def test_an_event_is_created_once_and_never_blocks_a_pass(api: MemoryApi, sweep: SweepObject) -> None:
    event = EmitEvent("s.1234", "Normal", "Planned", "Planned 180 runs.")
    apply_actions(api, sweep, event, event)

    event = api.objects[Resource.EVENTS, "s.1234"]
    assert (event["involvedObject"]["uid"], event["message"], event["count"]) == (sweep.uid, "Planned 180 runs.", 1)

    api.refusal = ApiError(403, "Forbidden", "namespace is being terminated")
    apply_actions(api, sweep, EmitEvent("s.5678", "Normal", "Planned", "Planned."))


def test_the_earliest_requeue_counts(api: MemoryApi, sweep: SweepObject) -> None:
    assert apply_actions(api, sweep, RequeueAfter(9), RequeueAfter(3), RequeueAfter(5)).requeue_after == 3
    assert apply_actions(api, sweep).requeue_after is None
