"""Everything together: a user, a cluster, a store, and an operator that may die at any write."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from simulated_cluster.api import NAMESPACE, Key, KilledError, MemoryApi
from simulated_cluster.nodes import Nodes
from simulated_cluster.store import Store, keys_of
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import ATTEMPT_LABEL, JOB_LABEL, SHARD_LABEL, SWEEP_LABEL
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.output import Output
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.resources.synth_sweep import Phase, SweepSpec, SweepStatus
from synth_operator.configuration import Configuration
from synth_operator.decide.decide import decide
from synth_operator.decide.observed_state import ObservedState, Refusal
from synth_operator.kube.api import ApiError, JsonObject, Resource
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.pod_object import PodObject
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.manifests.inputs import build_attempt_input
from synth_operator.reconcile.apply import StaleError, apply
from synth_operator.validation import ValidatedSweep

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
NAME = "beads"
RULES = Configuration.from_tree(
    {
        "operatorImage": "lab/synth-operator:1",
        "rendererImage": "lab/synth-renderer:1",
        "allowedImages": ["lab/"],
        "lease": {"namespace": "synth"},
    }
)
OUTPUT = {"endpoint": "store:9000", "bucket": "bucket", "secretRef": {"name": "store"}}
_WATCHED = (Resource.SWEEPS, Resource.RECIPES, Resource.JOBS, Resource.PODS)


def check(spec: SweepSpec, recipe: RecipeObject | None) -> ValidatedSweep | Problem:
    """Stands for `validate_sweep`: a recipe is good when it has a version."""
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


class World:
    """`lag` is the chance that a watch brings nothing in a second; `seed` decides when."""

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
        self._seen: dict[Key, JsonObject] = {}
        self._refusals: dict[str, Refusal] = {}
        self._look_at: datetime | None = START
        self._kill_at: tuple[int, str] | None = None
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
        self.api.put(Resource.SWEEPS, {"metadata": {"name": NAME}, "spec": whole, "status": {}})

    # The user

    def apply_recipe(self, version: int | None) -> None:
        recipe = {"recipe": {"version": version} if version is not None else {}}
        if (Resource.RECIPES, "beads") in self.api.objects:
            self.api.edit_spec(Resource.RECIPES, "beads", **recipe)
        else:
            self.api.put(Resource.RECIPES, {"metadata": {"name": "beads"}, "spec": recipe, "status": {}})

    def edit(self, **changes: Any) -> None:
        self.api.edit_spec(Resource.SWEEPS, NAME, **changes)

    def delete(self) -> None:
        self.api.remove(Resource.SWEEPS, NAME)

    def annotate(self, **annotations: str) -> None:
        body = self.api.objects[Resource.SWEEPS, NAME]
        body["metadata"]["annotations"] = annotations
        self.api.touch(body)

    # What is seen

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
        return [f"{event['reason']}: {event['message']}" for event in self.api.all(Resource.EVENTS)]

    def jobs(self, kind: JobKind = JobKind.RENDER) -> list[JsonObject]:
        return [job for job in self.api.all(Resource.JOBS) if job["metadata"]["labels"][JOB_LABEL] == kind]

    def keys(self) -> list[str]:
        """Of the runs that the sweep asks for now."""
        sweep = SweepObject.from_json(self.api.objects[Resource.SWEEPS, NAME])
        recipe = RecipeObject.from_json(self.api.objects[Resource.RECIPES, "beads"])
        checked = check(sweep.spec, recipe)
        assert isinstance(checked, ValidatedSweep)
        return keys_of(build_attempt_input(sweep, checked, ""))

    # Time

    def until(self, condition: Callable[[World], bool], seconds: int = 3600) -> None:
        """Lets time pass until something holds; fails when that is not within so many seconds."""
        end = self.api.now + timedelta(seconds=seconds)
        while not condition(self):
            assert self.api.now < end, f"still {self.status.phase}: {self.ready}"
            self.second()

    def until_phase(self, *phases: Phase, seconds: int = 3600) -> None:
        self.until(lambda world: world.status.phase in phases, seconds)

    def until_ended(self, seconds: int = 7200) -> None:
        """Until the sweep has ended and the operator has nothing left to do."""
        self.until(lambda world: world.status.completion_time is not None and world.idle(), seconds)

    def idle(self) -> bool:
        """Whether the operator has seen everything and wants nothing."""
        there = self._watched()
        current = self._seen.keys() == there.keys() and all(
            _version(body) == self._known(key) for key, body in there.items()
        )
        return current and self._look_at is None

    def second(self, end: datetime | None = None) -> None:
        """A second; or, when nobody has anything to do, the time until the operator wants to look again."""
        version = self.api.version
        self.nodes.step()
        running = any(pod["status"]["phase"] == "Running" for pod in self.api.all(Resource.PODS))
        if self.api.version == version and not running and self._look_at and self._look_at > self.api.now:
            self.api.now = min(self._look_at, end or self._look_at) - timedelta(seconds=1)
        self.api.now += timedelta(seconds=1)
        if self._watch() or (self._look_at is not None and self._look_at <= self.api.now):
            self._look()
        self.check_invariants()

    def seconds(self, number: int) -> None:
        end = self.api.now + timedelta(seconds=number)
        while self.api.now < end:
            self.second(end)

    # The operator

    def kill_at(self, write: int, when: str) -> None:
        """The operator dies before or after its so-manieth write from the beginning."""
        self._kill_at = (write, when)

    def _on_write(self, when: str) -> None:
        number = len(self.api.writes) - (when == "after")
        if self._kill_at == (number, when):
            self._kill_at = None
            raise KilledError

    def restart(self) -> None:
        """A new process: it lists everything and remembers nothing."""
        self.restarts += 1
        self._refusals.clear()
        self._seen = copy.deepcopy(self._watched())
        self._look_at = self.api.now

    def _watched(self) -> dict[Key, JsonObject]:
        return {key: body for key, body in self.api.objects.items() if key[0] in _WATCHED}

    def _watch(self) -> bool:
        """Brings the watches up to date, each resource by itself and perhaps late; whether something came."""
        came = False
        there = self._watched()
        for resource in _WATCHED:
            if self._random.random() < self._lag:
                continue
            news = {
                key: body for key, body in there.items() if key[0] is resource and _version(body) != self._known(key)
            }
            gone = [key for key in self._seen if key[0] is resource and key not in there]
            came = came or bool(news) or bool(gone)
            self._seen |= copy.deepcopy(news)
            for key in gone:
                del self._seen[key]
        return came

    def _known(self, key: Key) -> str:
        return _version(self._seen[key]) if key in self._seen else ""

    def _look(self) -> None:
        self._look_at = None
        body = self._seen.get((Resource.SWEEPS, NAME))
        if body is None:
            return
        sweep = SweepObject.from_json(body)
        observed = self._observed(sweep)
        try:
            applied = apply(self.api, sweep, observed, decide(sweep, observed, self.rules, self.api.now), self.api.now)
        except (StaleError, ApiError):
            self._look_at = self.api.now + timedelta(seconds=1)
            return
        except KilledError:
            self.restart()
            return
        for name in applied.inputs | applied.jobs:
            self._refusals.pop(name, None)
        if applied.refusal:
            self._refusals[applied.refusal.name] = applied.refusal
        delays = [delay for delay in (applied.requeue_after, 1.0 if applied.refusal else None) if delay is not None]
        if delays:
            self._look_at = self.api.now + timedelta(seconds=min(delays))

    def _observed(self, sweep: SweepObject) -> ObservedState:
        seen = self._seen
        recipe = seen.get((Resource.RECIPES, "beads"))
        found = RecipeObject.from_json(recipe) if recipe else None
        return ObservedState(
            validation=check(sweep.spec, found),
            recipe=found,
            jobs=tuple(JobObject.from_json(body) for (kind, _), body in seen.items() if kind is Resource.JOBS),
            pods=tuple(PodObject.from_json(body) for (kind, _), body in seen.items() if kind is Resource.PODS),
            inputs=frozenset(
                body["metadata"]["name"]
                for body in self.api.find(Resource.INPUTS, NAMESPACE, labels=f"{SWEEP_LABEL}={NAME}")
            ),
            warnings=tuple(self.nodes.warnings),
            refusals=tuple(self._refusals.values()),
        )

    # What must always hold

    def check_invariants(self) -> None:
        living = [job for job in self.jobs() if not job["status"].get("conditions")]
        assert len(living) <= 1, [job["metadata"]["name"] for job in living]
        tasks = [
            (
                *(pod["metadata"]["labels"].get(label) for label in (ATTEMPT_LABEL, SHARD_LABEL, JOB_LABEL)),
                pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"],
            )
            for pod in self.api.all(Resource.PODS)
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
