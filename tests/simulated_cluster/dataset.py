"""Simulation of a SynthDataset whose sweeps are as a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulated_cluster.simulation import OUTPUT, SimulatedCluster
from synth_api.resources.conditions import ConditionType, Problem
from synth_api.resources.synth_dataset import DatasetPhase, DatasetStatus
from synth_operator.decide.decide_dataset import decide_dataset
from synth_operator.decide.observed_state import ObservedDataset
from synth_operator.kube.api import Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.reconcile.apply import ApplyResult, apply

DATASET = "sem"
SPEC: dict[str, Any] = {
    "version": "1",
    "sources": [{"sweepRef": {"name": "spheres"}}, {"sweepRef": {"name": "broad"}, "where": "particles > 3"}],
    "split": {"train": 0.8, "val": 0.2},
    "exports": [{"format": "coco"}, {"format": "webdataset"}],
    "parallelism": 2,
}


class SimulatedDataset(SimulatedCluster):
    """The dataset `sem` of the sweeps `spheres` and `broad`, which are complete unless `sweeps` is false."""

    def __init__(self, *, sweeps: bool = True, lag: float = 0.0, seed: int = 0, **spec: Any) -> None:
        super().__init__(lag=lag, seed=seed)
        self.problem: Problem | None = None  # of the selection, by the check process
        self.api.remove(Resource.SWEEPS, "beads")
        whole = {key: value for key, value in {**SPEC, **spec}.items() if value is not None}
        self.api.add(Resource.DATASETS, {"metadata": {"name": DATASET}, "spec": whole, "status": {}})
        for name in ("spheres", "broad") if sweeps else ():
            self.complete_sweep(name)

    # The user, and the operator of sweeps

    def complete_sweep(self, name: str, attempt: str = "a", **spec: Any) -> None:
        """Commit the dataset of a sweep."""
        self.set_sweep(name, "Complete", attempt, **spec)

    def set_sweep(self, name: str, phase: str, attempt: str = "a", message: str = "", **spec: Any) -> None:
        if (Resource.SWEEPS, name) not in self.api.objects:
            self.api.add(Resource.SWEEPS, {"metadata": {"name": name}, "spec": {"output": OUTPUT, **spec}})
        body = self.api.objects[Resource.SWEEPS, name]
        time = self.api.format_time()
        ready = {"type": "Ready", "status": "False", "reason": "WorkerFailed", "message": message}
        body["status"] = {
            "observedGeneration": body["metadata"]["generation"],
            "phase": phase,
            "plan": "b" * 64,
            "attempt": {"hash": attempt * 64},
            "conditions": [{**ready, "lastTransitionTime": time}] if message else [],
        }
        self.api.bump_version(body)

    def edit_dataset(self, **changes: Any) -> None:
        self.api.edit_spec(Resource.DATASETS, DATASET, **changes)

    def delete_dataset(self) -> None:
        self.api.remove(Resource.DATASETS, DATASET)

    # Observation

    @property
    def dataset_exists(self) -> bool:
        return (Resource.DATASETS, DATASET) in self.api.objects

    @property
    def dataset(self) -> DatasetStatus:
        return DatasetStatus.model_validate(self.api.objects[Resource.DATASETS, DATASET]["status"])

    @property
    def ready(self) -> str:
        """Reason and message of `Ready` of the dataset."""
        conditions = self.dataset.conditions if self.dataset_exists else ()
        return next((f"{c.reason}: {c.message}" for c in conditions if c.type == "Ready"), "")

    @property
    def condition_types(self) -> set[ConditionType]:
        """Types of the conditions that are true."""
        return {condition.type for condition in self.dataset.conditions if condition.status == "True"}

    def run_until_dataset(self, *phases: DatasetPhase, seconds: int = 3600) -> None:
        self.run_until_true(lambda: self.dataset.phase in phases and self.is_idle(), seconds)

    def run_until_dataset_is(self, phase: DatasetPhase) -> None:
        """Advance time until the status has a phase, which it may leave at once."""
        self.run_until_true(lambda: self.dataset.phase is phase)

    def run_until_true(self, condition: Callable[[], bool], seconds: int = 3600) -> None:
        for _ in range(seconds):
            if condition():
                return
            self.step()
        raise AssertionError(f"still {self.ready}")

    # The operator

    def _pass(self) -> ApplyResult[Any] | None:
        body = self._cache.get((Resource.DATASETS, DATASET))
        if body is None:
            return None
        dataset = DatasetObject.from_json(body)
        sweeps = {
            name: SweepObject.from_json(sweep)
            for (resource, name), sweep in self._cache.items()
            if resource is Resource.SWEEPS
        }
        observed = ObservedDataset(sweeps=sweeps, problem=self.problem, **vars(self._observe_jobs(dataset)))
        actions = decide_dataset(dataset, observed, self.rules, self.api.now)
        return apply(self.api, dataset, observed, actions, self.api.now)

    def check_invariants(self) -> None:
        unfinished = [job for job in self.jobs_of_dataset() if not job["status"].get("conditions")]
        assert len(unfinished) <= 1, [job["metadata"]["name"] for job in unfinished]
        if self.dataset_exists:
            assert not ({ConditionType.RECONCILING, ConditionType.STALLED} <= self.condition_types)
            status = self.dataset
            assert not status.version or status.version in self.store.published or status.phase == "Deleting"

    def jobs_of_dataset(self) -> list[Any]:
        return self.api.list_all(Resource.JOBS)
