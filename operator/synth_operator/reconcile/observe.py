"""Observe: collects the input of `decide` from the watches and, only where it matters, from the API."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from synth_operator.decide.observed_state import ObservedJobs
from synth_operator.kube.api import Resource
from synth_operator.kube.events import JobWarning, WarningEvents
from synth_operator.kube.job_object import find_owner
from synth_operator.kube.owner import OWNER_LABELS
from synth_operator.kube.pod_object import NORMAL_WAITING
from synth_operator.reconcile.apply import StaleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from typing import Any

    from synth_operator.decide.observed_state import Refusal
    from synth_operator.kube.api import Api
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.owner import Owner
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.reconcile.apply import ApplyResult

IDLE_SECONDS: Final = 3.0
"""Time that a Job may have no pod, or a pod no container, before its Warning Events are listed."""

_INPUTS_INTERVAL_SECONDS: Final = 30.0
"""Time between two lists of ConfigMaps while pods wait."""
_MAX_WARNINGS_INTERVAL_SECONDS: Final = 60.0
_CREATING: Final = NORMAL_WAITING - {""}
"""Waiting reasons of a pod whose volumes cannot be mounted; only its Events name the cause."""
_MAX_WATCH_LAG_SECONDS: Final = 5.0


@dataclass
class OwnerMemory:
    """Memory of a sweep or dataset between its passes; a new process finds all of it again."""

    inputs: frozenset[str] = frozenset()
    inputs_time: float | None = None
    refusals: dict[str, Refusal] = field(default_factory=dict)
    warnings: tuple[JobWarning, ...] = ()
    stuck: frozenset[str] = frozenset()
    """Names of the Jobs that the warnings concern."""
    warnings_due: float = float("-inf")
    warnings_interval: float = IDLE_SECONDS
    requeue_after: float | None = None
    """Seconds until the warnings are due, None if nothing is idle."""
    expected: dict[str, float] = field(default_factory=dict)
    """Names of created Jobs that the watch has not delivered yet, with the time until which a pass waits for them."""

    def remember(self, result: ApplyResult[Any], now: float) -> None:
        """Store what a pass created and deleted, and its refusal; `now` is in seconds of the monotonic clock."""
        self.inputs = (self.inputs | result.inputs) - result.deleted_inputs
        self.expected = dict.fromkeys(result.jobs, now + _MAX_WATCH_LAG_SECONDS)
        for name in result.inputs | result.jobs:
            self.refusals.pop(name, None)
        if result.refusal:
            self.refusals[result.refusal.name] = result.refusal


class Observer:
    """Observes the Jobs of sweeps and datasets through the watches and, rarely, through the API."""

    def __init__(self, api: Api, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._events = WarningEvents(api, clock)

    def observe(
        self,
        owner: Owner,
        jobs: tuple[JobObject, ...],
        pods: tuple[PodObject, ...],
        memory: OwnerMemory,
        now: datetime,
    ) -> ObservedJobs:
        """Return what belongs to an owner, whose Jobs and pods the watches have.

        Raises:
            StaleError: the watches have not delivered the Jobs that the last pass created.
            ApiError: the API refused a request or did not answer.
        """
        missing = memory.expected.keys() - {job.name for job in jobs}
        if any(self._clock() < memory.expected[name] for name in missing):
            raise StaleError
        idle = tuple(_find_idle(owner, jobs, pods))
        stuck = tuple(one for one in idle if (now - one.since).total_seconds() >= IDLE_SECONDS)
        warnings = self._list_warnings(owner.namespace, stuck, memory)
        memory.requeue_after = memory.warnings_due - self._clock() if stuck else IDLE_SECONDS if idle else None
        return ObservedJobs(
            jobs=jobs,
            pods=pods,
            warnings=warnings,
            inputs=self._list_inputs(owner, memory, waiting=any(one.kind == Resource.PODS.kind for one in stuck)),
            refusals=tuple(memory.refusals.values()),
        )

    def _list_inputs(self, owner: Owner, memory: OwnerMemory, *, waiting: bool) -> frozenset[str]:
        """List the ConfigMaps once, and again while pods wait, since a user may have deleted one."""
        if memory.inputs_time is None and not owner.status.attempt_hash:
            memory.inputs_time = self._clock()  # no ConfigMap exists before the status has an attempt or build
        if memory.inputs_time is None or (waiting and self._clock() - memory.inputs_time >= _INPUTS_INTERVAL_SECONDS):
            found = self._api.find(
                Resource.INPUTS, owner.namespace, labels=f"{OWNER_LABELS[owner.resource]}={owner.name}"
            )
            memory.inputs = frozenset(body["metadata"]["name"] for body in found if find_owner(body) == owner.uid)
            memory.inputs_time = self._clock()
        return memory.inputs

    def _list_warnings(
        self, namespace: str, stuck: tuple[_IdleObject, ...], memory: OwnerMemory
    ) -> tuple[JobWarning, ...]:
        """List the warnings about stuck Jobs, at intervals that double while the same Jobs are stuck."""
        jobs = frozenset(one.job for one in stuck)
        if jobs != memory.stuck:
            memory.stuck, memory.warnings = jobs, ()
            memory.warnings_due, memory.warnings_interval = float("-inf"), IDLE_SECONDS
        if stuck and self._clock() >= memory.warnings_due:
            memory.warnings = tuple(warning for one in stuck for warning in self._find_latest(namespace, one))
            memory.warnings_due = self._clock() + memory.warnings_interval
            memory.warnings_interval = min(2 * memory.warnings_interval, _MAX_WARNINGS_INTERVAL_SECONDS)
        return memory.warnings

    def _find_latest(self, namespace: str, idle: _IdleObject) -> Iterator[JobWarning]:
        """Yield the latest Warning Event about an idle object, if any."""
        latest = self._events.find_last(namespace, idle.kind, idle.name)
        if latest is not None:
            yield replace(latest, job=idle.job)


@dataclass(frozen=True)
class _IdleObject:
    """An object without progress: a Job without a pod, or a pod without a container."""

    job: str
    since: datetime
    kind: str
    name: str


def _find_idle(owner: Owner, jobs: Iterable[JobObject], pods: Iterable[PodObject]) -> Iterator[_IdleObject]:
    for job in jobs:
        if job.owner != owner.uid or job.deleting or job.suspend or job.finish:
            continue
        unfinished = [pod for pod in pods if pod.owner == job.uid and not pod.is_finished]
        if not unfinished:
            yield _IdleObject(job.name, job.created, Resource.JOBS.kind, job.name)
        pod = next((pod for pod in unfinished if pod.waiting_reason in _CREATING or pod.silent_scheduler), None)
        if pod is not None:
            yield _IdleObject(job.name, pod.created, Resource.PODS.kind, pod.name)
