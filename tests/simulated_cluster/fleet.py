"""Simulation of several sweeps and datasets of a namespace with limits.

One is looked at only when something of it changed. Datasets are named `dataset/NAME`.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from simulated_cluster.api import NAMESPACE, CrashError, Key
from simulated_cluster.simulation import _WATCHED, OUTPUT, RULES, START, SimulatedCluster, _version, validate
from synth_api.jobs.names import DATASET_LABEL, SWEEP_LABEL
from synth_api.resources.namespace_limits import NamespaceLimits
from synth_api.resources.synth_dataset import DatasetStatus
from synth_api.resources.synth_sweep import Phase, SweepStatus
from synth_operator.configuration import LimitsByNamespace
from synth_operator.decide.context import Context
from synth_operator.decide.dataset_context import DatasetContext
from synth_operator.decide.decide import decide
from synth_operator.decide.decide_dataset import decide_dataset
from synth_operator.decide.observed_state import ObservedDataset, ObservedState
from synth_operator.kube.api import ApiError, JsonObject, Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.owner import OWNER_LABELS, find_labelled_owner, name_owner, parse_owner
from synth_operator.kube.pod_object import PodObject
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.reconcile.apply import StaleError, apply
from synth_operator.reconcile.gpu_hours import GpuDay
from synth_operator.reconcile.limiter import Limiter
from synth_operator.watch.kopf_setup import ObjectKey


class SimulatedFleet(SimulatedCluster):
    """`number` sweeps of the same recipe, `a0`, `a1` and so on, in order of age."""

    def __init__(self, number: int, *, lag: float = 0.0, seed: int = 0, runs: int = 8, **limits: Any) -> None:
        self.limits = NamespaceLimits(**limits)
        self._due: dict[str, datetime] = {}
        rules = RULES.model_copy(update={"limits": LimitsByNamespace(default=self.limits)})
        super().__init__(runs=runs, lag=lag, seed=seed, rules=rules)
        self.api.remove(Resource.SWEEPS, "beads")
        self.epoch = 0
        self.started: list[str] = []
        self._is_above = False  # until the pods fit into lowered limits
        self.runs = runs
        self.saved: dict[str, GpuDay] = {}
        self._saved_at = START
        self._limiter = self._build_limiter()
        for _ in range(number):
            self.create()

    # The user

    def create(self, **spec: Any) -> str:
        name = f"a{len(self.api.list_all(Resource.SWEEPS))}"
        # Each sweep has runs of its own, so that none finds those of another.
        values = [f"{name}/{number}" for number in range(spec.pop("runs", self.runs))]
        axes = [{"path": "seed", "values": values}]
        whole = {"recipeRef": {"name": "beads"}, "axes": axes, "parallelism": 3, "batchSize": 1, "output": OUTPUT}
        self.api.add(Resource.SWEEPS, {"metadata": {"name": name}, "spec": {**whole, **spec}, "status": {}})
        self.step()
        return name

    def create_dataset(self, name: str, *sweeps: str, **spec: Any) -> str:
        """Create a dataset of sweeps; return its word."""
        sources = [{"sweepRef": {"name": sweep}} for sweep in sweeps]
        whole = {"version": "1", "sources": sources, "exports": [{"format": "coco"}], **spec}
        self.api.add(Resource.DATASETS, {"metadata": {"name": name}, "spec": whole, "status": {}})
        self.step()
        return name_owner(Resource.DATASETS, name)

    def change_limits(self, **limits: Any) -> None:
        """Restart the operator with other limits."""
        self.limits = NamespaceLimits(**limits)
        self.rules = self.rules.model_copy(update={"limits": LimitsByNamespace(default=self.limits)})
        self._is_above = True
        self.restart()

    # Observation

    def read_dataset(self, word: str) -> DatasetStatus:
        return DatasetStatus.model_validate(self.api.objects[parse_owner(word)]["status"])

    def read_status(self, name: str) -> SweepStatus:
        return SweepStatus.model_validate(self.api.objects[Resource.SWEEPS, name]["status"])

    def read_ready(self, name: str) -> str:
        """Reason and message of `Ready`."""
        is_dataset = parse_owner(name)[0] is Resource.DATASETS
        conditions = (self.read_dataset(name) if is_dataset else self.read_status(name)).conditions
        return next((f"{c.reason}: {c.message}" for c in conditions if c.type == "Ready"), "")

    @property
    def names(self) -> list[str]:
        return [body["metadata"]["name"] for body in self.api.list_all(Resource.SWEEPS)]

    def list_by_reason(self, reason: str) -> list[str]:
        return [name for name in self.names if self.read_ready(name).startswith(f"{reason}:")]

    def list_pods(self, name: str = "") -> list[JsonObject]:
        """Return the pods that have not ended, of one sweep or dataset or of all."""
        return [
            pod
            for pod in self.api.list_all(Resource.PODS)
            if pod["status"]["phase"] in ("Pending", "Running") and name in ("", _read_owner(pod))
        ]

    def count_status_writes(self, name: str) -> int:
        return self.api.writes.count(f"status synthsweeps {name}")

    def run_until_all_complete(self, seconds: int = 20_000) -> None:
        self.run_until(
            lambda _: all(self.read_status(name).phase is Phase.COMPLETE for name in self.names), seconds=seconds
        )

    @property
    def status(self) -> SweepStatus:
        """Status of the last sweep that is not complete, for messages of failed waits."""
        return next((s for s in map(self.read_status, self.names) if s.phase is not Phase.COMPLETE), SweepStatus())

    # The operator

    def restart(self) -> None:
        super().restart()
        self.epoch += 1
        self._limiter = self._build_limiter()
        self._due = dict.fromkeys(self._list_owners(), self.api.now)

    def rebuild_cache(self) -> None:
        """List all objects again without a restart, as the watches do."""
        self.epoch += 1
        self._cache = copy.deepcopy(self._list_watched())
        self._due = dict.fromkeys(self._list_owners(), self.api.now)

    def _list_owners(self) -> set[str]:
        return {name_owner(*key) for key in self._cache if key[0] in OWNER_LABELS}

    def _build_limiter(self) -> Limiter:
        return Limiter(self.rules.limits, self._list_names, lambda: self.saved, self._wake)

    def _list_names(self) -> dict[str, set[str]]:
        return {NAMESPACE: self._list_owners()}

    def _wake(self, key: ObjectKey) -> None:
        self._due[name_owner(key.resource, key.name)] = self.api.now

    def _watch(self) -> bool:
        there = self._list_watched()
        for resource in _WATCHED:
            if self._random.random() < self._lag:
                continue
            for key in [key for key in there | self._cache if key[0] is resource]:
                body, cached = there.get(key), self._cache.get(key)
                if body and cached and _version(body) == _version(cached):
                    continue
                self._enqueue(key[0], body or cached or {})
                self._cache.pop(key, None)
                if body:
                    self._cache[key] = copy.deepcopy(body)
        return any(due <= self.api.now for due in self._due.values())

    def _enqueue(self, resource: Resource, body: JsonObject) -> None:
        if resource is Resource.RECIPES:
            self._due.update(dict.fromkeys(self.names, self.api.now))
            return
        name = name_owner(resource, body["metadata"]["name"]) if resource in OWNER_LABELS else _read_owner(body)
        self._due[name] = self.api.now
        if resource is Resource.SWEEPS:
            users = (key for key in self._cache if key[0] is Resource.DATASETS)
            self._due.update(dict.fromkeys((name_owner(*key) for key in users), self.api.now))

    def is_idle(self) -> bool:
        return False

    def step(self, end: datetime | None = None) -> None:
        self._reconcile_at = min(self._due.values(), default=None)
        super().step(end)
        if self.api.now >= self._saved_at + timedelta(minutes=1):
            self._saved_at, self.saved = self.api.now, self._limiter.list_days(self.api.now) or {}

    def _reconcile(self) -> None:
        due = [name for name, at in self._due.items() if at <= self.api.now]
        self._random.shuffle(due)
        for name in due:
            if self._due.pop(name, None) is None:
                continue
            try:
                delay = self._look(name)
            except (StaleError, ApiError):
                delay = 1.0
            except CrashError:
                self.restart()
                return
            if delay is not None:
                self._due.setdefault(name, self.api.now + timedelta(seconds=delay))

    def _look(self, name: str) -> float | None:
        """Make one pass, as the reconciler does."""
        key = parse_owner(name)
        body = self._cache.get(key)
        jobs, pods = self._find_children(name)
        if body is None:
            self._limiter.remove(ObjectKey(key[0], NAMESPACE, key[1]), pods, self.api.now)
            return None
        if key[0] is Resource.DATASETS:
            return self._look_at_dataset(DatasetObject.from_json(body), jobs, pods)
        sweep = SweepObject.from_json(body)
        self._limiter.register(sweep, jobs, pods, self.epoch, self.api.now)
        observed = self._observe_one(sweep, jobs, pods)
        allowance = self._limiter.allow(Context(sweep, observed, self.rules, self.api.now))
        if allowance is None:
            return None
        observed = replace(observed, allowance=allowance)
        return apply(
            self.api, sweep, observed, decide(sweep, observed, self.rules, self.api.now), self.api.now
        ).requeue_after

    def _look_at_dataset(
        self, dataset: DatasetObject, jobs: tuple[JobObject, ...], pods: tuple[PodObject, ...]
    ) -> float | None:
        self._limiter.register(dataset, jobs, pods, self.epoch, self.api.now)
        sweeps = {
            name: SweepObject.from_json(body)
            for (resource, name), body in self._cache.items()
            if resource is Resource.SWEEPS
        }
        found = self.api.find(Resource.INPUTS, NAMESPACE, labels=f"{DATASET_LABEL}={dataset.name}")
        inputs = frozenset(body["metadata"]["name"] for body in found)
        observed = ObservedDataset(sweeps=sweeps, jobs=jobs, pods=pods, inputs=inputs)
        allowance = self._limiter.allow_dataset(DatasetContext(dataset, observed, self.rules, self.api.now))
        self._limiter.end_pass(ObjectKey(Resource.DATASETS, NAMESPACE, dataset.name))
        if allowance is None:
            return None
        observed = replace(observed, allowance=allowance)
        actions = decide_dataset(dataset, observed, self.rules, self.api.now)
        return apply(self.api, dataset, observed, actions, self.api.now).requeue_after

    def _find_children(self, name: str) -> tuple[tuple[JobObject, ...], tuple[PodObject, ...]]:
        own = [
            (kind, b)
            for (kind, _), b in self._cache.items()
            if kind in (Resource.JOBS, Resource.PODS) and _read_owner(b) == name
        ]
        jobs = tuple(JobObject.from_json(body) for kind, body in own if kind is Resource.JOBS)
        return jobs, tuple(PodObject.from_json(body) for kind, body in own if kind is Resource.PODS)

    def _observe_one(
        self, sweep: SweepObject, jobs: tuple[JobObject, ...], pods: tuple[PodObject, ...]
    ) -> ObservedState:
        body = self._cache.get((Resource.RECIPES, "beads"))
        recipe = RecipeObject.from_json(body) if body else None
        inputs = self.api.find(Resource.INPUTS, NAMESPACE, labels=f"{SWEEP_LABEL}={sweep.name}")
        names = frozenset(body["metadata"]["name"] for body in inputs)
        return ObservedState(validation=validate(sweep.spec, recipe), recipe=recipe, jobs=jobs, pods=pods, inputs=names)

    # Invariants

    def check_invariants(self) -> None:
        pods = [pod for pod in self.list_pods() if not self._is_queued(pod)]
        working = {_read_owner(pod) for pod in pods} - {name_owner(*key) for key in self._list_datasets()}
        self.started.extend(sorted(working - set(self.started)))
        self._is_above = self._is_above and self.limits.pods is not None and len(pods) > self.limits.pods
        if self._lag or self._is_above:
            return
        assert self.limits.pods is None or len(pods) <= self.limits.pods
        assert self.limits.sweeps is None or len(working) <= self.limits.sweeps
        gpus = sum(PodObject.from_json(pod).gpus for pod in pods)
        assert self.limits.gpus is None or gpus <= self.limits.gpus

    def _list_datasets(self) -> list[Key]:
        return [key for key in self.api.objects if key[0] is Resource.DATASETS]

    def _is_queued(self, pod: JsonObject) -> bool:
        sweep = self.api.objects.get((Resource.SWEEPS, _read_owner(pod)))
        return sweep is not None and "queueName" in sweep["spec"]


def _read_owner(child: JsonObject) -> str:
    owner = find_labelled_owner(child["metadata"]["labels"])
    assert owner is not None
    return name_owner(*owner)
