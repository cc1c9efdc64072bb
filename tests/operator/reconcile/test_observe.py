from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from controllers import build_controller

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import JOB_LABEL, SWEEP_LABEL
from synth_operator.decide.observed_state import ObservedJobs, Refusal
from synth_operator.kube.api import JsonObject, Resource
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.pod_object import PodObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.reconcile.apply import ApplyResult, StaleError
from synth_operator.reconcile.observe import Observer, OwnerMemory

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@dataclass
class Lists:
    """API that only lists, with `answers` by resource."""

    answers: dict[Resource, list[JsonObject]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        self.asked.append((resource.plural, labels or fields))
        return self.answers.get(resource, [])

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        raise AssertionError("observing writes nothing")

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        raise AssertionError("observing reads through watches and lists")

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        raise AssertionError("observing writes nothing")

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        raise AssertionError("observing writes nothing")

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        raise AssertionError("observing writes nothing")


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def observer(lists: Lists, clock: Clock) -> Observer:
    return Observer(lists, clock)


def metadata(name: str, **more: Any) -> dict[str, Any]:
    created = START.isoformat().replace("+00:00", "Z")
    return {
        "namespace": "lab",
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "1",
        "creationTimestamp": created,
        **more,
    }


ATTEMPT = {"attempt": {"hash": "0123456789abcdef", "count": 0}}
SWEEP = SweepObject.from_json({"metadata": metadata("s"), "spec": {"recipeRef": {"name": "r"}}, "status": ATTEMPT})
NEW = SweepObject.from_json({"metadata": metadata("s"), "spec": {"recipeRef": {"name": "r"}}})


def job(name: str = "s-p", owner: str = "uid-s", **spec: Any) -> JobObject:
    labels = {SWEEP_LABEL: "s", JOB_LABEL: JobKind.PLAN.value}
    return JobObject.from_json(
        {
            "metadata": metadata(name, labels=labels, ownerReferences=[build_controller(Resource.SWEEPS, "s", owner)]),
            "spec": spec,
        }
    )


def pod(phase: str = "Pending", waiting: str = "", unschedulable: bool = False) -> PodObject:
    labels = {SWEEP_LABEL: "s", JOB_LABEL: "plan"}
    controller = build_controller(Resource.JOBS, "s-p", "uid-s-p")
    status: dict[str, Any] = {"phase": phase}
    if waiting:
        status["containerStatuses"] = [{"state": {"waiting": {"reason": waiting}}}]
    if unschedulable:
        status["conditions"] = [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
        ]
    return PodObject.from_json(
        {"metadata": metadata("s-p-x1", labels=labels, ownerReferences=[controller]), "status": status}
    )


def build_input(name: str, owner: str = "uid-s") -> JsonObject:
    return {"metadata": metadata(name, ownerReferences=[build_controller(Resource.SWEEPS, "s", owner)])}


def warning(message: str, minute: int, about: str = "s-p") -> JsonObject:
    return {
        "metadata": metadata("w"),
        "involvedObject": {"name": about},
        "reason": "FailedCreate",
        "message": message,
        "lastTimestamp": f"2026-05-01T11:{minute:02d}:00Z",
    }


def observe(
    observer: Observer,
    clock: Clock,
    memory: OwnerMemory,
    *objects: JobObject | PodObject,
    sweep: SweepObject = SWEEP,
) -> ObservedJobs:
    jobs = tuple(thing for thing in objects if isinstance(thing, JobObject))
    pods = tuple(thing for thing in objects if isinstance(thing, PodObject))
    return observer.observe(sweep, jobs, pods, memory, clock.now)


def list_event_requests(lists: Lists) -> list[str]:
    return [selector for resource, selector in lists.asked if resource == "events"]


def test_events_of_a_new_job_without_a_pod_are_not_listed(observer: Observer, lists: Lists, clock: Clock) -> None:
    memory = OwnerMemory()
    assert observe(observer, clock, memory, job()).warnings == ()

    assert list_event_requests(lists) == []
    assert memory.requeue_after == 3.0


def test_the_latest_warning_of_a_job_without_a_pod_counts(observer: Observer, lists: Lists, clock: Clock) -> None:
    warnings = [warning("first", 1), warning("exceeded quota", 5), warning("between", 3), warning("not ours", 6, "t-p")]
    lists.answers[Resource.EVENTS] = warnings
    clock.seconds = 3.0

    warnings = observe(observer, clock, OwnerMemory(), job()).warnings

    assert [(one.job, one.message) for one in warnings] == [("s-p", "exceeded quota")]
    assert list_event_requests(lists) == ["type=Warning,involvedObject.kind=Job"]


def test_events_are_listed_less_often_while_the_same_job_waits(observer: Observer, lists: Lists, clock: Clock) -> None:
    memory = OwnerMemory()
    read = []
    for second in range(3, 300):
        clock.seconds = float(second)
        before = len(list_event_requests(lists))
        observe(observer, clock, memory, job())
        if len(list_event_requests(lists)) > before:
            read.append(second)

    assert read == [3, 6, 12, 24, 48, 96, 156, 216, 276]


def test_another_job_resets_the_interval(observer: Observer, lists: Lists, clock: Clock) -> None:
    lists.answers[Resource.EVENTS] = [warning("exceeded quota", 5), warning("forbidden", 6, "s-r0")]
    memory = OwnerMemory()
    clock.seconds = 100.0
    observe(observer, clock, memory, job())

    assert [one.message for one in observe(observer, clock, memory, job("s-r0")).warnings] == ["forbidden"]


def test_waiting_jobs_share_one_list_of_events(observer: Observer, lists: Lists, clock: Clock) -> None:
    clock.seconds = 10.0
    for number in range(200):
        observe(observer, clock, OwnerMemory(), job(f"s-{number}"))
    assert len(list_event_requests(lists)) == 1

    lists.answers[Resource.EVENTS] = [warning("exceeded quota", 5)]
    clock.seconds = 12.0
    assert observe(observer, clock, OwnerMemory(), job()).warnings


def test_a_pod_clears_the_warnings(observer: Observer, lists: Lists, clock: Clock) -> None:
    lists.answers[Resource.EVENTS] = [warning("exceeded quota", 5)]
    memory = OwnerMemory()
    clock.seconds = 10.0
    assert observe(observer, clock, memory, job()).warnings

    assert observe(observer, clock, memory, job(), pod("Running")).warnings == ()
    assert memory.requeue_after is None


@pytest.mark.parametrize(
    "objects",
    [
        (job(suspend=True),),
        (job(owner="uid-of-a-former-sweep"),),
        (job(), pod(unschedulable=True)),
        (job(), pod(waiting="ErrImagePull")),
    ],
)
def test_no_events_are_listed_for_a_known_reason(
    observer: Observer, lists: Lists, clock: Clock, objects: tuple[Any, ...]
) -> None:
    clock.seconds = 60.0
    observe(observer, clock, OwnerMemory(), *objects)

    assert list_event_requests(lists) == []


def test_events_of_a_pod_without_a_container_are_listed(observer: Observer, lists: Lists, clock: Clock) -> None:
    lists.answers[Resource.EVENTS] = [warning("secret not found", 5, "s-p-x1")]
    clock.seconds = 10.0

    warnings = observe(observer, clock, OwnerMemory(), job(), pod(waiting="ContainerCreating")).warnings

    assert [one.job for one in warnings] == ["s-p"]
    assert list_event_requests(lists) == ["type=Warning,involvedObject.kind=Pod"]


def test_no_config_maps_are_listed_before_the_first_attempt(observer: Observer, lists: Lists, clock: Clock) -> None:
    memory = OwnerMemory()
    assert observe(observer, clock, memory, sweep=NEW).inputs == frozenset()
    memory.remember(ApplyResult(SWEEP, inputs={"s-new"}), clock())

    assert observe(observer, clock, memory).inputs == {"s-new"}
    assert lists.asked == []


def test_config_maps_are_listed_once(observer: Observer, lists: Lists, clock: Clock) -> None:
    lists.answers[Resource.INPUTS] = [build_input("s-old")]
    memory = OwnerMemory()
    assert observe(observer, clock, memory).inputs == {"s-old"}
    memory.remember(ApplyResult(SWEEP, inputs={"s-new"}, deleted_inputs={"s-old"}), clock())
    clock.seconds = 1e6

    assert observe(observer, clock, memory).inputs == {"s-new"}
    assert lists.asked == [("configmaps", "synth-operator.io/sweep=s")]


def test_a_config_map_that_another_sweep_or_none_controls_is_not_ours(
    observer: Observer, lists: Lists, clock: Clock
) -> None:
    forged = {"metadata": metadata("s-forged")}
    lists.answers[Resource.INPUTS] = [build_input("s-in"), build_input("s-former", "uid-of-a-former-sweep"), forged]

    assert observe(observer, clock, OwnerMemory()).inputs == {"s-in"}


def test_config_maps_are_listed_again_while_pods_wait(observer: Observer, lists: Lists, clock: Clock) -> None:
    lists.answers[Resource.INPUTS] = [build_input("s-in")]
    memory = OwnerMemory()
    observe(observer, clock, memory)
    lists.answers[Resource.INPUTS] = []
    clock.seconds = 40.0

    assert observe(observer, clock, memory, job(), pod(waiting="ContainerCreating")).inputs == frozenset()


def test_a_pass_waits_until_the_watch_delivers_the_created_job(observer: Observer, clock: Clock) -> None:
    memory = OwnerMemory()
    memory.remember(ApplyResult(SWEEP, jobs={"s-p"}), clock())

    with pytest.raises(StaleError):
        observe(observer, clock, memory)
    observe(observer, clock, memory, job())
    clock.seconds = 5.0
    observe(observer, clock, memory)


def test_a_refusal_is_observed_until_the_object_is_created(observer: Observer, clock: Clock) -> None:
    refusal = Refusal(name="s-p", code=403, message="exceeded quota", at=START)
    memory = OwnerMemory()
    memory.remember(ApplyResult(SWEEP, refusal=refusal), clock())
    assert observe(observer, clock, memory).refusals == (refusal,)

    memory.remember(ApplyResult(SWEEP, jobs={"s-p"}), clock())
    assert observe(observer, clock, memory, job()).refusals == ()
