"""Simulation of a user, a cluster, a store, and an operator that can crash at any write."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from simulated_cluster.api import NAMESPACE, CrashError, Key, MemoryApi
from simulated_cluster.nodes import Nodes
from simulated_cluster.store import Store, list_keys
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import ATTEMPT_LABEL, JOB_LABEL, SHARD_LABEL
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.output import Output
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.resources.synth_sweep import Phase, SweepSpec, SweepStatus
from synth_operator.configuration import Configuration
from synth_operator.decide.decide import decide
from synth_operator.decide.observed_state import ObservedJobs, ObservedState, Refusal
from synth_operator.kube.api import ApiError, JsonObject, Resource
from synth_operator.kube.job_object import find_owner, read_job
from synth_operator.kube.owner import OWNER_LABELS, Owner
from synth_operator.kube.pod_object import read_pod
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.manifests.inputs import build_attempt_input
from synth_operator.reconcile.apply import ApplyResult, StaleError, apply
from synth_operator.validation import ValidatedSweep

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
NAME = "beads"
RULES = Configuration.from_tree(
    {
        "operatorImage": "lab/synth-operator:1",
        "rendererImage": "lab/synth-renderer:1",
        "allowedImages": ["lab/other", "lab/x:1", "lab/a", "lab/b"],
        "lease": {"namespace": "synth"},
    }
)
OUTPUT = {"endpoint": "store:9000", "bucket": "bucket", "secretRef": {"name": "store"}}
_WATCHED = (Resource.SWEEPS, Resource.RECIPES, Resource.DATASETS, Resource.JOBS, Resource.PODS)


def validate(spec: SweepSpec, recipe: RecipeObject | None) -> ValidatedSweep | Problem:
    """Replace `validate_sweep`: a recipe is valid if it has a version."""
    if recipe is None:
        return Problem(reason=Reason.RECIPE_NOT_FOUND, message="There is no SynthRecipe 'beads'; apply one.")
    if "version" not in recipe.spec.recipe:
        return Problem(reason=Reason.RECIPE_INVALID, message="The recipe 'beads' is invalid: version: is missing.")
    values = (spec.axes[0].values or ()) if spec.axes else ()
    text = json.dumps([recipe.spec.recipe, list(values)])
    return ValidatedSweep(
        plan=sha256(text.encode()).hexdigest(),
        runs=len(values),
        recipe_name="beads",
        recipe=RecipeSpec(recipe=recipe.spec.recipe),
        recipe_digest=sha256(json.dumps(recipe.spec.recipe).encode()).hexdigest(),
        output=spec.output or Output.model_validate(OUTPUT),
    )


class SimulatedCluster:
    """`lag` is the probability that a watch delivers nothing in a second; `seed` seeds it."""

    def __init__(
        self, *, runs: int = 12, lag: float = 0.0, seed: int = 0, rules: Configuration = RULES, **spec: Any
    ) -> None:
        self.api = MemoryApi(START)
        self.store = Store()
        self.nodes = Nodes(self.api, self.store)
        self.rules = rules
        self.restarts = 0
        self._lag = lag
        self._random = Random(seed)
        self._cache: dict[Key, JsonObject] = {}
        self._refusals: dict[str, Refusal] = {}
        self._reconcile_at: datetime | None = START
        self._crash_at: tuple[int, str] | None = None
        self.api.on_write = self._on_write
        self.apply_recipe(1)
        axes = [{"path": "seed", "values": list(range(runs))}]
        whole = {
            "recipeRef": {"name": "beads"},
            "axes": axes,
            "parallelism": 3,
            "batchSize": 2,
            "output": OUTPUT,
            **spec,
        }
        self.api.add(Resource.SWEEPS, {"metadata": {"name": NAME}, "spec": whole, "status": {}})

    # The user

    def apply_recipe(self, version: int | None) -> None:
        recipe = {"recipe": {"version": version} if version is not None else {}}
        if (Resource.RECIPES, "beads") in self.api.objects:
            self.api.edit_spec(Resource.RECIPES, "beads", **recipe)
        else:
            self.api.add(Resource.RECIPES, {"metadata": {"name": "beads"}, "spec": recipe, "status": {}})

    def edit(self, **changes: Any) -> None:
        self.api.edit_spec(Resource.SWEEPS, NAME, **changes)

    def delete(self) -> None:
        self.api.remove(Resource.SWEEPS, NAME)

    def annotate(self, **annotations: str) -> None:
        body = self.api.objects[Resource.SWEEPS, NAME]
        body["metadata"]["annotations"] = annotations
        self.api.bump_version(body)

    # Observation

    @property
    def exists(self) -> bool:
        return (Resource.SWEEPS, NAME) in self.api.objects

    @property
    def status(self) -> SweepStatus:
        return SweepStatus.model_validate(self.api.objects[Resource.SWEEPS, NAME]["status"])

    @property
    def ready(self) -> str:
        """Reason and message of `Ready`."""
        return next((f"{c.reason}: {c.message}" for c in self.status.conditions if c.type == "Ready"), "")

    @property
    def events(self) -> list[str]:
        return [f"{event['reason']}: {event['message']}" for event in self.api.list_all(Resource.EVENTS)]

    def jobs(self, kind: JobKind = JobKind.RENDER) -> list[JsonObject]:
        return [job for job in self.api.list_all(Resource.JOBS) if job["metadata"]["labels"][JOB_LABEL] == kind]

    def list_run_keys(self) -> list[str]:
        """Return the keys of the sweep's current runs."""
        sweep = SweepObject.from_json(self.api.objects[Resource.SWEEPS, NAME])
        recipe = RecipeObject.from_json(self.api.objects[Resource.RECIPES, "beads"])
        validation = validate(sweep.spec, recipe)
        assert isinstance(validation, ValidatedSweep)
        return list_keys(build_attempt_input(sweep, validation, "", self.rules))

    # Time

    def run_until(self, condition: Callable[[SimulatedCluster], bool], seconds: int = 3600) -> None:
        """Advance time until a condition is true; fail after this many seconds."""
        end = self.api.now + timedelta(seconds=seconds)
        while not condition(self):
            assert self.api.now < end, f"still {self.status.phase}: {self.ready}"
            self.step()

    def run_until_phase(self, *phases: Phase, seconds: int = 3600) -> None:
        self.run_until(lambda cluster: cluster.status.phase in phases, seconds)

    def run_until_finished(self, seconds: int = 7200) -> None:
        """Advance time until the sweep has ended and the operator is idle."""
        self.run_until(lambda cluster: cluster.status.completion_time is not None and cluster.is_idle(), seconds)

    def is_idle(self) -> bool:
        """Return True if the operator's cache is current and no reconcile is due."""
        there = self._list_watched()
        current = self._cache.keys() == there.keys() and all(
            _version(body) == self._find_cached_version(key) for key, body in there.items()
        )
        return current and self._reconcile_at is None

    def step(self, end: datetime | None = None) -> None:
        """Advance by one second or, if nothing can happen, to the next reconcile."""
        version = self.api.version
        self.nodes.step()
        running = any(pod["status"]["phase"] == "Running" for pod in self.api.list_all(Resource.PODS))
        if self.api.version == version and not running and self._reconcile_at and self._reconcile_at > self.api.now:
            self.api.now = min(self._reconcile_at, end or self._reconcile_at) - timedelta(seconds=1)
        self.api.now += timedelta(seconds=1)
        if self._watch() or (self._reconcile_at is not None and self._reconcile_at <= self.api.now):
            self._reconcile()
        self.check_invariants()

    def run_for(self, number: int) -> None:
        end = self.api.now + timedelta(seconds=number)
        while self.api.now < end:
            self.step(end)

    # The operator

    def crash_at(self, write: int, when: str) -> None:
        """Let the operator crash before or after the write of this number."""
        self._crash_at = (write, when)

    def _on_write(self, when: str) -> None:
        number = len(self.api.writes) - (when == "after")
        if self._crash_at == (number, when):
            self._crash_at = None
            raise CrashError

    def restart(self) -> None:
        """Start a new process with an empty memory; it lists all objects."""
        self.restarts += 1
        self._refusals.clear()
        self._cache = copy.deepcopy(self._list_watched())
        self._reconcile_at = self.api.now

    def _list_watched(self) -> dict[Key, JsonObject]:
        return {key: body for key, body in self.api.objects.items() if key[0] in _WATCHED}

    def _watch(self) -> bool:
        """Update the cache, each resource separately and perhaps late; return True if it changed."""
        has_changed = False
        there = self._list_watched()
        for resource in _WATCHED:
            if self._random.random() < self._lag:
                continue
            changed = {
                key: body
                for key, body in there.items()
                if key[0] is resource and _version(body) != self._find_cached_version(key)
            }
            deleted = [key for key in self._cache if key[0] is resource and key not in there]
            has_changed = has_changed or bool(changed) or bool(deleted)
            self._cache |= copy.deepcopy(changed)
            for key in deleted:
                del self._cache[key]
        return has_changed

    def _find_cached_version(self, key: Key) -> str:
        return _version(self._cache[key]) if key in self._cache else ""

    def _reconcile(self) -> None:
        self._reconcile_at = None
        try:
            applied = self._pass()
        except (StaleError, ApiError):
            self._reconcile_at = self.api.now + timedelta(seconds=1)
            return
        except CrashError:
            self.restart()
            return
        if applied is None:
            return
        for name in applied.inputs | applied.jobs:
            self._refusals.pop(name, None)
        if applied.refusal:
            self._refusals[applied.refusal.name] = applied.refusal
        delays = [delay for delay in (applied.requeue_after, 1.0 if applied.refusal else None) if delay is not None]
        if delays:
            self._reconcile_at = self.api.now + timedelta(seconds=min(delays))

    def _pass(self) -> ApplyResult[Any] | None:
        """Look at the sweep once; None if it does not exist."""
        body = self._cache.get((Resource.SWEEPS, NAME))
        if body is None:
            return None
        sweep = SweepObject.from_json(body)
        observed = self._observe(sweep)
        return apply(self.api, sweep, observed, decide(sweep, observed, self.rules, self.api.now), self.api.now)

    def _observe(self, sweep: SweepObject) -> ObservedState:
        seen = self._cache
        recipe = seen.get((Resource.RECIPES, "beads"))
        found = RecipeObject.from_json(recipe) if recipe else None
        return ObservedState(validation=validate(sweep.spec, found), recipe=found, **vars(self._observe_jobs(sweep)))

    def _observe_jobs(self, owner: Owner) -> ObservedJobs:
        seen, selector = self._cache, f"{OWNER_LABELS[owner.resource]}={owner.name}"
        return ObservedJobs(
            jobs=tuple(job for (kind, _), body in seen.items() if kind is Resource.JOBS and (job := read_job(body))),
            pods=tuple(pod for (kind, _), body in seen.items() if kind is Resource.PODS and (pod := read_pod(body))),
            inputs=frozenset(
                body["metadata"]["name"]
                for body in self.api.find(Resource.INPUTS, NAMESPACE, labels=selector)
                if find_owner(body) == owner.uid
            ),
            warnings=tuple(self.nodes.warnings),
            refusals=tuple(self._refusals.values()),
        )

    # Invariants

    def check_invariants(self) -> None:
        unfinished = [job for job in self.jobs() if not job["status"].get("conditions")]
        assert len(unfinished) <= 1, [job["metadata"]["name"] for job in unfinished]
        tasks = [
            (
                *(pod["metadata"]["labels"].get(label) for label in (ATTEMPT_LABEL, SHARD_LABEL, JOB_LABEL)),
                pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"],
            )
            for pod in self.api.list_all(Resource.PODS)
            if pod["status"]["phase"] in ("Pending", "Running") and "deletionTimestamp" not in pod["metadata"]
        ]
        assert len(tasks) == len(set(tasks)), "two pods for one batch"
        if self.exists:
            self._check_counts()

    def _check_counts(self) -> None:
        status = self.status
        plan = self.store.plans.get(status.attempt.hash) if status.attempt else None
        if plan is None or status.attempt is None or status.attempt.todo is None or status.completion_time:
            return
        done = sum(len(document.done) for document in plan.batches.values())
        failed = sum(len(document.failed) for document in plan.batches.values())
        assert status.runs.succeeded <= done, "a run is counted that was not rendered"
        assert status.runs.failed <= failed, "a run is counted as failed that was not"
        conditions = {condition.type: condition.status for condition in status.conditions}
        assert not ({"Reconciling", "Stalled"} <= conditions.keys())


def _version(body: JsonObject) -> str:
    return str(body["metadata"]["resourceVersion"])
