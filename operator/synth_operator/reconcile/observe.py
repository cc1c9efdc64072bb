"""Gathers what `decide` is to know: the watches' snapshot, and what is asked for only when it matters."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

from synth_api.jobs.names import SWEEP_LABEL
from synth_operator.decide.observed_state import Observed
from synth_operator.kube.api import Resource
from synth_operator.kube.events import JobWarning, WarningEvents
from synth_operator.reconcile.apply import StaleError
from synth_operator.validation import check_sweep, finished_check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from synth_api.jobs.messages import Problem
    from synth_api.resources.output import Output
    from synth_operator.decide.observed_state import Refusal
    from synth_operator.kube.api import Api
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.reconcile.apply import Applied
    from synth_operator.validation import Checked
    from synth_operator.watch.watches import Snapshot

PATIENCE_SECONDS: Final = 3.0
"""How long a Job may be without a pod, and a pod without a container, before its Warning Events are read."""

_INPUTS_SECONDS: Final = 30.0
_LONGEST_WAIT: Final = 60.0
_CREATING: Final = "ContainerCreating"
"""What a pod says whose volumes cannot be mounted, and nothing more: the reason is in its events alone."""
_WATCH_LAG: Final = 5.0


@dataclass
class Memory:
    """What is remembered of a sweep from one pass to the next; all of it is found again without."""

    check: tuple[object, Checked | Problem] | None = None
    inputs: frozenset[str] = frozenset()
    inputs_at: float | None = None
    refusals: dict[str, Refusal] = field(default_factory=dict)
    warnings: tuple[JobWarning, ...] = ()
    stuck: frozenset[str] = frozenset()
    """Names of the Jobs that these warnings are about."""
    warnings_due: float = float("-inf")
    warnings_wait: float = PATIENCE_SECONDS
    look_again: float | None = None
    """Seconds after which to look again for warnings."""
    expected: dict[str, float] = field(default_factory=dict)
    """Names of Jobs that were made and that the watch has yet to bring, until when it is waited for."""

    def remember(self, applied: Applied, clock: float) -> None:
        """What a pass has made, removed, or was refused."""
        self.inputs = (self.inputs | applied.inputs) - applied.removed
        self.expected = dict.fromkeys(applied.jobs, clock + _WATCH_LAG)
        for name in applied.inputs | applied.jobs:
            self.refusals.pop(name, None)
        if applied.refusal:
            self.refusals[applied.refusal.name] = applied.refusal


class Observer:
    """Observes sweeps through watches and, sparingly, through the API."""

    def __init__(self, api: Api, output: Output | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._output = output
        self._clock = clock
        self._checking = Lock()
        self._events = WarningEvents(api, clock)

    def observe(self, sweep: SweepObject, snapshot: Snapshot, memory: Memory, now: datetime) -> Observed:
        """Everything about a sweep.

        Raises:
            StaleError: the watches have yet to bring what the last pass has made.
            ApiError: the API refused, or did not answer.
        """
        missing = memory.expected.keys() - {job.name for job in snapshot.jobs}
        if any(self._clock() < memory.expected[name] for name in missing):
            raise StaleError
        idle = tuple(_idle(sweep, snapshot))
        stuck = tuple(one for one in idle if (now - one.since).total_seconds() >= PATIENCE_SECONDS)
        warnings = self._warnings(sweep.namespace, stuck, memory)
        memory.look_again = memory.warnings_due - self._clock() if stuck else PATIENCE_SECONDS if idle else None
        return Observed(
            checked=self._checked(sweep, snapshot.recipe, memory),
            recipe=snapshot.recipe,
            jobs=snapshot.jobs,
            pods=snapshot.pods,
            warnings=warnings,
            inputs=self._inputs(sweep, memory, waiting=any(one.kind == Resource.PODS.kind for one in stuck)),
            refusals=tuple(memory.refusals.values()),
        )

    def _checked(self, sweep: SweepObject, recipe: RecipeObject | None, memory: Memory) -> Checked | Problem:
        key = (sweep.uid, sweep.generation, recipe and (recipe.uid, recipe.generation))
        if memory.check is None or memory.check[0] != key:
            with self._checking:  # the next sweep of the same recipe finds it composed
                memory.check = key, self._check(sweep, recipe)
        return memory.check[1]

    def _check(self, sweep: SweepObject, recipe: RecipeObject | None) -> Checked | Problem:
        known = None
        if sweep.status.completion_time and sweep.status.observed_generation == sweep.generation and not sweep.problem:
            known = finished_check(sweep.name, sweep.spec, recipe, self._output, sweep.status)
        return known or check_sweep(sweep.name, sweep.spec, recipe, self._output)

    def _inputs(self, sweep: SweepObject, memory: Memory, *, waiting: bool) -> frozenset[str]:
        """Read once, and again where pods wait: perhaps for a ConfigMap that somebody has deleted."""
        if memory.inputs_at is None and sweep.status.attempt is None:
            memory.inputs_at = self._clock()  # nothing is made before the status has its attempt
        if memory.inputs_at is None or (waiting and self._clock() - memory.inputs_at >= _INPUTS_SECONDS):
            found = self._api.find(Resource.INPUTS, sweep.namespace, labels=f"{SWEEP_LABEL}={sweep.name}")
            memory.inputs = frozenset(body["metadata"]["name"] for body in found)
            memory.inputs_at = self._clock()
        return memory.inputs

    def _warnings(self, namespace: str, stuck: tuple[_Idle, ...], memory: Memory) -> tuple[JobWarning, ...]:
        """Read ever more rarely while the same Jobs are stuck."""
        jobs = frozenset(one.job for one in stuck)
        if jobs != memory.stuck:
            memory.stuck, memory.warnings = jobs, ()
            memory.warnings_due, memory.warnings_wait = float("-inf"), PATIENCE_SECONDS
        if stuck and self._clock() >= memory.warnings_due:
            memory.warnings = tuple(warning for one in stuck for warning in self._latest(namespace, one))
            memory.warnings_due = self._clock() + memory.warnings_wait
            memory.warnings_wait = min(2 * memory.warnings_wait, _LONGEST_WAIT)
        return memory.warnings

    def _latest(self, namespace: str, idle: _Idle) -> Iterator[JobWarning]:
        """The last Warning Event about it."""
        latest = self._events.last(namespace, idle.kind, idle.name)
        if latest is not None:
            yield replace(latest, job=idle.job)


@dataclass(frozen=True)
class _Idle:
    """Something from which nothing follows: a Job without a pod, a pod without a container."""

    job: str
    since: datetime
    kind: str
    name: str


def _idle(sweep: SweepObject, snapshot: Snapshot) -> Iterator[_Idle]:
    for job in snapshot.jobs:
        if job.owner != sweep.uid or job.deleting or job.suspend or job.finish:
            continue
        pods = [pod for pod in snapshot.pods if pod.job == job.name and not pod.over]
        if not pods:
            yield _Idle(job.name, job.created, Resource.JOBS.kind, job.name)
        pod = next((pod for pod in pods if pod.waiting == _CREATING), None)
        if pod is not None:
            yield _Idle(job.name, pod.created, Resource.PODS.kind, pod.name)
