"""Checks of sweeps, recipes and datasets for the reconciler, each version once, in the pool; no thread waits."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from synth_api.jobs.messages import Problem
from synth_api.reasons import Reason
from synth_api.version import ENGINE_VERSION
from synth_operator.validation import SourceSweep, ValidatedSweep, has_columns, restore_validation, select_inputs
from synth_operator.watch.kopf_setup import ObjectKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from synth_api.resources.output import Output
    from synth_api.resources.synth_dataset import DatasetDefinition
    from synth_api.resources.synth_sweep import SweepSpec
    from synth_operator.kube.dataset_object import DatasetObject
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.kube.sweep_object import SweepObject

_BEING_DELETED = Problem(reason=Reason.DELETING, message="The sweep is being deleted.")


class CheckPendingError(Exception):
    """A check is under way; its end queues the key again."""


class Checks(Protocol):
    """The parts of a CheckPool that the reconciler uses."""

    def submit_sweep(
        self, group: str, name: str, spec: SweepSpec, recipe: RecipeObject | None, default: Output | None
    ) -> Future[ValidatedSweep | Problem]:
        """Return the future result of `validate_sweep` of these arguments."""

    def submit_recipe(self, group: str, recipe: RecipeObject) -> Future[Problem | None]:
        """Return the future result of `validate_recipe` of this recipe."""

    def submit_selection(
        self, group: str, definition: DatasetDefinition, sweeps: tuple[SourceSweep, ...]
    ) -> Future[Problem | None]:
        """Return the future result of `validate_selection` of these arguments."""


@dataclass(frozen=True)
class _Valid:
    """What is kept of a valid sweep: without its recipe, ten thousand of them are small."""

    plan: str
    runs: int


class Checker:
    """Finds the validation of a sweep or recipe; `enqueue` queues a key whose check has ended. Thread-safe by key."""

    def __init__(
        self, checks: Checks, find_output: Callable[[str], Output | None], enqueue: Callable[[ObjectKey], None]
    ) -> None:
        self._checks = checks
        self._find_output = find_output
        self._enqueue = enqueue
        self._known: dict[ObjectKey, tuple[object, Future[Any] | Problem | _Valid | None]] = {}

    def check_sweep(self, key: ObjectKey, sweep: SweepObject, recipe: RecipeObject | None) -> ValidatedSweep | Problem:
        """Return the validation of a sweep.

        Raises:
            CheckPendingError: the check of this version has not ended.
            CheckFailedError: the check failed for no fault of the sweep.
        """
        if sweep.deleting:
            return _BEING_DELETED
        if sweep.problem:
            return Problem(reason=Reason.SWEEP_INVALID, message=f"The sweep is invalid: {sweep.problem}.")
        default = self._find_output(sweep.namespace)
        inputs = select_inputs(sweep.spec, recipe, default)
        if isinstance(inputs, Problem):
            return inputs
        valid = _restore_plan(sweep, inputs[0].digest)
        if valid is None:
            version = (sweep.uid, sweep.generation, recipe and (recipe.uid, recipe.generation))
            arguments = sweep.namespace, sweep.name, sweep.spec, recipe, default
            valid = self._find(key, version, lambda: self._checks.submit_sweep(*arguments))
        if isinstance(valid, Problem):
            return valid
        return restore_validation(sweep.name, sweep.spec, recipe, default, valid.plan, valid.runs)

    def check_recipe(self, key: ObjectKey, recipe: RecipeObject) -> Problem | None:
        """Return the problem of a recipe, or None; raises as `check_sweep` does."""
        version = (recipe.uid, recipe.generation)
        result: Problem | None = self._find(key, version, lambda: self._checks.submit_recipe(recipe.namespace, recipe))
        return result

    def check_selection(
        self,
        key: ObjectKey,
        dataset: DatasetObject,
        sweeps: Mapping[str, SweepObject],
        recipes: Mapping[str, RecipeObject],
    ) -> Problem | None:
        """Return what filters and splits of a dataset name that its sweeps do not have; None while these are not known.

        Raises as `check_sweep` does.
        """
        sources = _find_source_sweeps(dataset, sweeps, recipes)
        if sources is None:
            self.forget(key)
            return None
        versions = (
            (sweeps[source.name].generation, source.recipe and (source.recipe.uid, source.recipe.generation))
            for source in sources
        )
        version = (dataset.uid, dataset.generation, tuple(versions))
        definition = dataset.spec.definition
        result: Problem | None = self._find(
            key, version, lambda: self._checks.submit_selection(dataset.namespace, definition, sources)
        )
        return result

    def forget(self, key: ObjectKey) -> None:
        """Forget an object that is deleted or needs no check any more."""
        _, result = self._known.pop(key, (None, None))
        if isinstance(result, Future):
            result.cancel()

    def _find(self, key: ObjectKey, version: object, submit: Callable[[], Future[Any]]) -> Any:
        known = self._known.get(key)
        if known is None or known[0] != version:
            self.forget(key)
            future = submit()
            self._known[key] = known = version, future
            future.add_done_callback(lambda _: self._enqueue(key))
        result = known[1]
        if isinstance(result, Future):
            if not result.done():
                raise CheckPendingError
            del self._known[key]  # a failed check is repeated
            result = result.result()
            result = _Valid(result.plan, result.runs) if isinstance(result, ValidatedSweep) else result
            self._known[key] = version, result
        return result


def _find_source_sweeps(
    dataset: DatasetObject, sweeps: Mapping[str, SweepObject], recipes: Mapping[str, RecipeObject]
) -> tuple[SourceSweep, ...] | None:
    """Return the sweeps of a dataset to be built; None if one is not there, or its recipe is not the planned one."""
    is_published = dataset.status.version == dataset.spec.version
    if dataset.problem or dataset.deleting or is_published or not has_columns(dataset.spec):
        return None
    sources = []
    for source in dataset.spec.sources:
        sweep = sweeps.get(source.sweep_ref.name)
        if sweep is None or sweep.problem:
            return None
        recipe = recipes.get(sweep.spec.recipe_ref.name) if sweep.spec.recipe_ref else None
        if recipe and sweep.status.recipe_digest not in ("", recipe.spec.digest):
            return None
        sources.append(SourceSweep(sweep.name, sweep.spec, recipe))
    return tuple(sources)


def _restore_plan(sweep: SweepObject, recipe_digest: str) -> _Valid | None:
    """Return the plan in the status of a finished sweep, or None if its spec, recipe or engine changed since."""
    status = sweep.status
    if status.completion_time is None or status.observed_generation != sweep.generation:
        return None
    is_same = (status.engine_version, status.recipe_digest) == (ENGINE_VERSION, recipe_digest)
    return _Valid(status.plan, status.runs.total) if is_same else None
