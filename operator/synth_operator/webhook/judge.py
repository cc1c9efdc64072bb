"""The verdict on a recipe or sweep that is about to be written: the same checks as in the reconciler."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_operator.decide.admission import admit_sweep, find_forbidden
from synth_operator.kube.api import Resource
from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject
from synth_operator.validation import validate_recipe, validate_sweep
from synth_operator.webhook.admission_review import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_operator.configuration import Configuration
    from synth_operator.kube.api import JsonObject
    from synth_operator.webhook.admission_review import AdmissionRequest

_OF_A_RECIPE: Final = (Reason.RECIPE_NOT_FOUND, Reason.RECIPE_INVALID)
_METADATA: Final = {"name": "", "uid": "", "resourceVersion": ""}
"""Fields that an object has once it is stored."""


def judge_write(request: AdmissionRequest, recipe: RecipeObject | None, configuration: Configuration) -> Verdict:
    """Return the verdict on a write; `recipe` is the SynthRecipe that the sweep refers to, if it exists.

    What an object had before is no reason to refuse a change of something else: that only warns.
    """
    with _collect_warnings() as warnings:
        verdict = _check(request, request.object, recipe, configuration)
    if not verdict.problem:
        return Verdict(warnings=(*verdict.warnings, *dict.fromkeys(warnings)))
    if request.old_object and _check(request, request.old_object, recipe, configuration).problem == verdict.problem:
        return Verdict(warnings=(verdict.problem,))
    return verdict


def _check(
    request: AdmissionRequest, body: JsonObject, recipe: RecipeObject | None, configuration: Configuration
) -> Verdict:
    whole = {**body, "metadata": {**_METADATA, "namespace": request.namespace, **body["metadata"]}}
    if request.kind.kind == Resource.RECIPES.kind:
        problem = validate_recipe(RecipeObject.from_json(whole))
        return Verdict(problem.message if problem else "")
    return _check_sweep(SweepObject.from_json(whole), recipe, configuration)


def _check_sweep(sweep: SweepObject, recipe: RecipeObject | None, configuration: Configuration) -> Verdict:
    reference = sweep.spec.recipe_ref
    known = recipe if recipe and reference and recipe.name == reference.name else None
    validation = validate_sweep(sweep.name, sweep.spec, known, configuration.find_output(sweep.namespace))
    match admit_sweep(sweep, validation, configuration):
        case Problem() as problem if sweep.spec.recipe is None and problem.reason in _OF_A_RECIPE:
            return _check_without_recipe(sweep, problem, configuration)
        case Problem() as problem:
            return Verdict(problem.message)
    return Verdict()


def _check_without_recipe(sweep: SweepObject, problem: Problem, configuration: Configuration) -> Verdict:
    """Return the verdict on a sweep whose recipe comes later, or is repaired later: Git applies in any order."""
    output = sweep.spec.output or configuration.find_output(sweep.namespace)
    forbidden = find_forbidden(sweep, output, configuration) if output else None
    return Verdict(forbidden.message) if forbidden else Verdict(warnings=(problem.message,))


@contextmanager
def _collect_warnings() -> Iterator[list[str]]:
    """Collect what the checks log as warnings, as `synth validate` prints them."""
    collector, logger = _Collector(logging.WARNING), logging.getLogger("synth_api")
    logger.addHandler(collector)
    try:
        yield collector.sentences
    finally:
        logger.removeHandler(collector)


class _Collector(logging.Handler):
    """Handler that keeps the messages of its thread."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.sentences: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(record.getMessage())
