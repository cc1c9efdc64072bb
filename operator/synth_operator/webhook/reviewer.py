"""The verdict on a recipe, sweep or dataset that is about to be written: the same checks as in the reconciler."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_operator.checks.pool import WORKERS
from synth_operator.decide.admission import admit_sweep, find_forbidden
from synth_operator.decide.dataset_sources import find_spec_problem
from synth_operator.kube.api import Resource
from synth_operator.kube.dataset_object import DatasetObject
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.webhook.admission_review import Verdict

if TYPE_CHECKING:
    from synth_operator.checks.pool import CheckPool
    from synth_operator.configuration import Configuration
    from synth_operator.kube.api import Api, JsonObject
    from synth_operator.webhook.admission_review import AdmissionRequest

_OF_A_RECIPE: Final = (Reason.RECIPE_NOT_FOUND, Reason.RECIPE_INVALID)
_METADATA: Final = {"name": "", "uid": "", "resourceVersion": ""}
"""Fields that an object has once it is stored."""


class Reviewer:
    """Judges writes in the check processes, whose turns and limits keep namespaces apart."""

    def __init__(self, api: Api, pool: CheckPool, configuration: Configuration) -> None:
        self._api = api
        self._pool = pool
        self._configuration = configuration

    async def start_processes(self) -> None:
        """Wait for a check in each process: the first one takes seconds."""
        metadata = {"namespace": "", "name": "", "uid": "", "resourceVersion": ""}
        recipe = RecipeObject.from_json({"metadata": metadata, "spec": {"recipe": {}}})
        checks = [self._pool.submit_recipe(f"start-{number}", recipe) for number in range(WORKERS)]
        await asyncio.gather(*(asyncio.wrap_future(check) for check in checks))

    async def review(self, request: AdmissionRequest) -> Verdict:
        """Return the verdict on a write.

        What an object had before is no reason to refuse a change of something else: that only warns.

        Raises:
            ApiError: the API did not answer for the recipe.
            CheckFailedError: the check raised an error.
        """
        if not request.needs_check:
            return Verdict()
        recipe = await asyncio.to_thread(self._find_recipe, request)
        verdict = await self._check(request, request.object, recipe)
        if verdict.problem and request.old_object:
            former = await self._check(request, request.old_object, recipe)
            if former.problem == verdict.problem:
                return Verdict(warnings=(verdict.problem,))
        return verdict

    def _find_recipe(self, request: AdmissionRequest) -> RecipeObject | None:
        """Return the SynthRecipe that a sweep refers to, if it exists."""
        name = request.recipe_name
        body = self._api.read(Resource.RECIPES, request.namespace, name) if name else None
        return RecipeObject.from_json(body) if body else None

    async def _check(self, request: AdmissionRequest, body: JsonObject, recipe: RecipeObject | None) -> Verdict:
        whole = {**body, "metadata": {**_METADATA, "namespace": request.namespace, **body["metadata"]}}
        warnings: list[str] = []
        if request.kind.kind == Resource.DATASETS.kind:
            # The sweeps may come later, and only an export reads their datasets.
            problem = find_spec_problem(DatasetObject.from_json(whole), self._configuration)
            return Verdict(problem.message if problem else "")
        if request.kind.kind == Resource.RECIPES.kind:
            check = self._pool.submit_recipe(request.namespace, RecipeObject.from_json(whole), warnings.append)
            problem = await asyncio.wrap_future(check)
            return Verdict(problem.message) if problem else Verdict(warnings=tuple(dict.fromkeys(warnings)))
        verdict = await self._check_sweep(SweepObject.from_json(whole), recipe, warnings)
        return verdict if verdict.problem else replace(verdict, warnings=(*verdict.warnings, *dict.fromkeys(warnings)))

    async def _check_sweep(self, sweep: SweepObject, recipe: RecipeObject | None, warnings: list[str]) -> Verdict:
        reference, default = sweep.spec.recipe_ref, self._configuration.find_output(sweep.namespace)
        known = recipe if recipe and reference and recipe.name == reference.name else None
        arguments = (sweep.namespace, sweep.name, sweep.spec, known, default, warnings.append)
        validation = await asyncio.wrap_future(self._pool.submit_sweep(*arguments))
        match admit_sweep(sweep, validation, self._configuration):
            case Problem() as problem if sweep.spec.recipe is None and problem.reason in _OF_A_RECIPE:
                return self._check_without_recipe(sweep, problem)
            case Problem() as problem:
                return Verdict(problem.message)
        return Verdict()

    def _check_without_recipe(self, sweep: SweepObject, problem: Problem) -> Verdict:
        """Return the verdict on a sweep whose recipe comes, or is repaired, later: Git applies in any order."""
        output = sweep.spec.output or self._configuration.find_output(sweep.namespace)
        forbidden = find_forbidden(sweep, output, self._configuration) if output else None
        return Verdict(forbidden.message) if forbidden else Verdict(warnings=(problem.message,))
