"""Checks of sweeps and recipes for the reconciler: each version once, in the pool, while no reconcile thread waits."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from synth_api.jobs.messages import Problem
from synth_api.reasons import Reason
from synth_api.version import ENGINE_VERSION
from synth_operator.validation import ValidatedSweep, restore_validation, select_inputs
from synth_operator.watch.kopf_setup import ObjectKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_api.resources.output import Output
    from synth_api.resources.synth_sweep import SweepSpec
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


def _restore_plan(sweep: SweepObject, recipe_digest: str) -> _Valid | None:
    """Return the plan in the status of a finished sweep, or None if its spec, recipe or engine changed since."""
    status = sweep.status
    if status.completion_time is None or status.observed_generation != sweep.generation:
        return None
    is_same = (status.engine_version, status.recipe_digest) == (ENGINE_VERSION, recipe_digest)
    return _Valid(status.plan, status.runs.total) if is_same else None
