"""Whether a recipe and a sweep can be rendered at all, before anything runs: pure, a tenth of a second each."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from synth_api.canonical_json import canonical_json
from synth_api.composition.source import recipe_from_objects
from synth_api.errors import InputError
from synth_api.jobs.messages import Problem
from synth_api.reasons import Reason
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.sweep.definition import Sweep
from synth_api.version import ENGINE_VERSION

if TYPE_CHECKING:
    from synth_api.composition.source import RecipeSource
    from synth_api.resources.output import Output
    from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
    from synth_operator.kube.recipe_object import RecipeObject


@dataclass(frozen=True)
class Checked:
    """A sweep that can be planned, and what its plan is made from."""

    plan: str
    """Hash of the plan."""
    runs: int
    """N, excluded runs left out."""
    recipe_name: str
    """File stem of the recipe."""
    recipe: RecipeSpec
    """Recipe and fragments as written."""
    recipe_digest: str
    """sha256 of these."""
    output: Output
    """Where the dataset goes."""


def check_sweep(name: str, spec: SweepSpec, recipe: RecipeObject | None, default: Output | None) -> Checked | Problem:
    """The sweep `name` with the recipe that its `recipeRef` names, if it exists; `default` is the operator's output."""
    output = spec.output or default
    if output is None:
        return Problem(
            reason=Reason.OUTPUT_MISSING,
            message="spec.output is missing and the operator has no default; name the endpoint and bucket of a store.",
        )
    chosen = _chosen(spec, recipe)
    if isinstance(chosen, Problem):
        return chosen
    stem = spec.recipe_ref.name if spec.recipe_ref else name
    try:
        source = recipe_from_objects(stem, chosen.recipe, chosen.fragments)
    except InputError as error:
        return _invalid(stem, error)
    try:
        sweep = Sweep.from_source(source, spec.overrides, spec.axes, spec.exclude)
    except InputError as error:
        return _recipe_problem(source) or Problem(
            reason=Reason.SWEEP_INVALID, message=sentence(f"The sweep is invalid: {error}")
        )
    return Checked(
        plan=sweep.plan(output.identity, spec.batch_size),
        runs=sweep.count,
        recipe_name=stem,
        recipe=chosen,
        recipe_digest=recipe_digest(chosen),
        output=output,
    )


def finished_check(
    name: str, spec: SweepSpec, recipe: RecipeObject | None, default: Output | None, status: SweepStatus
) -> Checked | None:
    """What the check of a finished sweep has found, when neither `spec` nor the recipe changed since.

    Composing takes a tenth of a second, and a new leader meets all the sweeps that ever were.
    """
    chosen, output = _chosen(spec, recipe), spec.output or default
    if output is None or isinstance(chosen, Problem) or status.engine_version != ENGINE_VERSION:
        return None
    digest = recipe_digest(chosen)
    if digest != status.recipe_digest:
        return None
    stem = spec.recipe_ref.name if spec.recipe_ref else name
    return Checked(status.plan, status.runs.total, stem, chosen, digest, output)


def check_recipe(recipe: RecipeObject) -> Problem | None:
    """What is wrong with a recipe without any sweep's overrides; None when it is good."""
    if recipe.problem:
        return _unreadable(recipe)
    try:
        return _recipe_problem(recipe_from_objects(recipe.name, recipe.spec.recipe, recipe.spec.fragments))
    except InputError as error:
        return _invalid(recipe.name, error)


def recipe_digest(recipe: RecipeSpec) -> str:
    """sha256 of a recipe and its fragments as written, whatever the order of their keys."""
    return sha256(canonical_json([recipe.recipe, recipe.fragments])).hexdigest()


def _chosen(spec: SweepSpec, recipe: RecipeObject | None) -> RecipeSpec | Problem:
    if spec.recipe is not None:
        return RecipeSpec(recipe=spec.recipe, fragments=spec.fragments)
    if spec.recipe_ref is None:
        return Problem(
            reason=Reason.SWEEP_INVALID,
            message="spec.recipeRef and spec.recipe are both missing; name a SynthRecipe or write a recipe.",
        )
    if recipe is None:
        return Problem(
            reason=Reason.RECIPE_NOT_FOUND,
            message=f"There is no SynthRecipe '{spec.recipe_ref.name}' in this namespace; apply one.",
        )
    return _unreadable(recipe) if recipe.problem else recipe.spec


def _unreadable(recipe: RecipeObject) -> Problem:
    return _invalid(recipe.name, InputError("", recipe.problem))


def _recipe_problem(source: RecipeSource) -> Problem | None:
    try:
        Sweep.from_source(source)
    except InputError as error:
        return _invalid(source.name, error)
    return None


def _invalid(name: str, error: InputError) -> Problem:
    return Problem(reason=Reason.RECIPE_INVALID, message=sentence(f"The recipe '{name}' is invalid: {error}"))


def sentence(text: str) -> str:
    """With a capital, unless it begins with a name, and a full stop."""
    first = text[:1].upper() if text.split(" ", 1)[0].isalpha() else text[:1]
    return f"{first}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
