import copy
from itertools import count
from typing import Any

import pytest

from synth_operator.configuration import Lease
from synth_operator.kube.api import CONFLICT, ApiError, JsonObject, Resource
from synth_operator.kube.leader_election import Leadership, NotLeadingError

LEASE = Lease(namespace="synth", duration_seconds=15)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class OneLease:
    """API with one Lease that checks resource versions as the server does, and that can be down."""

    def __init__(self) -> None:
        self.lease: JsonObject | None = None
        self.down = False
        self.calls: list[str] = []
        self._versions = count(1)

    def read(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        self._call("read")
        return copy.deepcopy(self.lease)

    def create(self, resource: Resource, namespace: str, body: JsonObject) -> JsonObject:
        self._call("create")
        if self.lease is not None:
            raise ApiError(CONFLICT, "AlreadyExists", "it exists")
        return self._store(body)

    def patch(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        self._call("patch")
        assert self.lease is not None
        if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise ApiError(CONFLICT, "Conflict", "it has changed")
        return self._store({**self.lease, "spec": {**self.lease["spec"], **body["spec"]}})

    def replace_status(self, resource: Resource, namespace: str, name: str, body: JsonObject) -> JsonObject:
        raise AssertionError("a lease has no status")

    def find(self, resource: Resource, namespace: str, *, labels: str = "", fields: str = "") -> list[JsonObject]:
        raise AssertionError("one lease is known by name")

    def delete(self, resource: Resource, namespace: str, name: str, uid: str = "") -> None:
        raise AssertionError("leases stay")

    def _call(self, verb: str) -> None:
        self.calls.append(verb)
        if self.down:
            raise ApiError(None, "MaxRetryError", "no answer")

    def _store(self, body: JsonObject) -> JsonObject:
        self.lease = {**body, "metadata": {**body["metadata"], "resourceVersion": str(next(self._versions))}}
        return copy.deepcopy(self.lease)

    def spec(self) -> dict[str, Any]:
        assert self.lease is not None
        spec: dict[str, Any] = self.lease["spec"]
        return spec


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api() -> OneLease:
    return OneLease()


@pytest.fixture
def first(api: OneLease, clock: Clock) -> Leadership:
    return Leadership(api, LEASE, "first", clock)


@pytest.fixture
def second(api: OneLease, clock: Clock) -> Leadership:
    return Leadership(api, LEASE, "second", clock)


def test_the_first_replica_leads_and_the_second_waits(first: Leadership, second: Leadership) -> None:
    assert first.try_acquire_or_renew()
    assert not second.try_acquire_or_renew()
    assert (first.is_leading, second.is_leading) == (True, False)
    with pytest.raises(NotLeadingError):
        second.ensure_leading()


def test_a_renewal_is_one_request(first: Leadership, api: OneLease) -> None:
    first.try_acquire_or_renew()
    api.calls.clear()

    assert first.try_acquire_or_renew()
    assert api.calls == ["patch"]


def test_a_dead_leader_is_replaced_when_its_lease_expires(first: Leadership, second: Leadership, clock: Clock) -> None:
    first.try_acquire_or_renew()
    second.try_acquire_or_renew()
    clock.now += 14.9
    assert not second.try_acquire_or_renew()
    clock.now += 0.2
    assert second.try_acquire_or_renew()


def test_a_leader_that_renews_is_never_replaced(first: Leadership, second: Leadership, clock: Clock) -> None:
    for _ in range(20):
        assert first.try_acquire_or_renew()
        assert not second.try_acquire_or_renew()
        clock.now += 5


def test_a_leader_without_an_answer_stops_before_another_may_lead(
    first: Leadership, second: Leadership, api: OneLease, clock: Clock
) -> None:
    first.try_acquire_or_renew()
    second.try_acquire_or_renew()
    api.down = True
    clock.now += 9.9
    assert not first.try_acquire_or_renew()
    assert first.is_leading
    clock.now += 0.2
    assert not first.is_leading
    api.down = False
    assert not second.try_acquire_or_renew()


def test_a_replaced_leader_cannot_renew(first: Leadership, second: Leadership, clock: Clock) -> None:
    first.try_acquire_or_renew()
    second.try_acquire_or_renew()
    clock.now += 16
    assert second.try_acquire_or_renew()

    assert not first.try_acquire_or_renew()
    assert not first.try_acquire_or_renew()
    assert not first.is_leading


def test_a_released_lease_is_acquired_at_once(first: Leadership, second: Leadership, clock: Clock) -> None:
    first.try_acquire_or_renew()
    second.try_acquire_or_renew()
    first.release()

    assert not first.is_leading
    assert second.try_acquire_or_renew()


def test_a_restarted_leader_leads_again_at_once(first: Leadership, api: OneLease, clock: Clock) -> None:
    first.try_acquire_or_renew()

    assert Leadership(api, LEASE, "first", clock).try_acquire_or_renew()


def test_lease_transitions_are_counted(first: Leadership, second: Leadership, api: OneLease) -> None:
    first.try_acquire_or_renew()
    first.try_acquire_or_renew()
    assert api.spec()["leaseTransitions"] == 0
    first.release()
    second.try_acquire_or_renew()
    assert api.spec()["leaseTransitions"] == 1
    assert api.spec()["holderIdentity"] == "second"


def test_expiry_follows_the_duration_in_the_lease(api: OneLease, clock: Clock, second: Leadership) -> None:
    hasty = Leadership(api, Lease(namespace="synth", duration_seconds=10), "hasty", clock)
    assert hasty.try_acquire_or_renew()
    assert not second.try_acquire_or_renew()
    clock.now += 9.0
    assert not second.try_acquire_or_renew()
    clock.now += 1.0
    assert second.try_acquire_or_renew()
