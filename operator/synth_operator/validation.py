"""Validation of recipes and sweeps before any Job runs: pure, about a tenth of a second each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_api.composition.source import read_recipe_objects
from synth_api.errors import InputError
from synth_api.jobs.messages import Problem
from synth_api.reasons import Reason
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.run_filter import INDEX_COLUMNS, parse_run_filter
from synth_api.splits import find_column
from synth_api.sweep.definition import Sweep

if TYPE_CHECKING:
    from synth_api.composition.source import RecipeSource
    from synth_api.resources.output import Output
    from synth_api.resources.synth_dataset import DatasetDefinition
    from synth_api.resources.synth_sweep import SweepSpec
    from synth_operator.kube.recipe_object import RecipeObject


@dataclass(frozen=True)
class ValidatedSweep:
    """A valid sweep with the inputs of its plan."""

    plan: str
    """Hash of the plan."""
    runs: int
    """Number of runs, without excluded ones."""
    recipe_name: str
    """File stem of the recipe."""
    recipe: RecipeSpec
    """Recipe and fragments as the user wrote them."""
    recipe_digest: str
    """sha256 of recipe and fragments."""
    output: Output
    """Store and location of the dataset."""


def validate_sweep(
    name: str, spec: SweepSpec, recipe: RecipeObject | None, default: Output | None
) -> ValidatedSweep | Problem:
    """Return the validated sweep `name`, or its first problem.

    `recipe` is the SynthRecipe that its `recipeRef` names, if it exists; `default` is its namespace's default output.
    """
    inputs = select_inputs(spec, recipe, default)
    if isinstance(inputs, Problem):
        return inputs
    selected, output = inputs
    stem = spec.recipe_ref.name if spec.recipe_ref else name
    try:
        source = read_recipe_objects(stem, selected.recipe, selected.fragments)
    except InputError as error:
        return _build_invalid_problem(stem, error)
    try:
        sweep = Sweep.from_source(source, spec.overrides, spec.axes, spec.exclude, spec.dataset)
    except InputError as error:
        return _find_recipe_problem(source) or Problem(
            reason=Reason.SWEEP_INVALID, message=to_sentence(f"The sweep is invalid: {error}")
        )
    return ValidatedSweep(
        plan=sweep.plan(output.identity, spec.batch_size),
        runs=sweep.count,
        recipe_name=stem,
        recipe=selected,
        recipe_digest=selected.digest,
        output=output,
    )


@dataclass(frozen=True)
class SourceSweep:
    """What the axes of a source of a dataset follow from."""

    name: str
    spec: SweepSpec
    recipe: RecipeObject | None
    """The SynthRecipe that its `recipeRef` names, if it exists."""


def validate_selection(definition: DatasetDefinition, sweeps: tuple[SourceSweep, ...]) -> Problem | None:
    """Return the first name in filters and splits that is neither an axis of a sweep nor a column; None if all are.

    Nothing is said about the sources of a sweep that is invalid: that is a problem of the sweep.
    """
    axes: list[str] = []
    for sweep in sweeps:
        selected = _select_recipe(sweep.spec, sweep.recipe)
        if isinstance(selected, Problem):
            return None
        try:
            source = read_recipe_objects(sweep.name, selected.recipe, selected.fragments)
            axes += Sweep.list_axis_paths(source, sweep.spec.overrides, sweep.spec.axes)
        except InputError:
            return None
    try:
        _check_columns(definition, tuple(dict.fromkeys(axes)))
    except InputError as error:
        return Problem(reason=Reason.DATASET_INVALID, message=to_sentence(f"The dataset is invalid: {error}"))
    return None


def has_columns(definition: DatasetDefinition) -> bool:
    """Return True if filters or splits of a dataset name axes or columns."""
    return bool(definition.group or definition.split_by or any(source.where for source in definition.sources))


def _check_columns(definition: DatasetDefinition, axes: tuple[str, ...]) -> None:
    for number, source in enumerate(definition.sources):
        if source.where:
            try:
                parse_run_filter(source.where, dict.fromkeys([*axes, *INDEX_COLUMNS]))
            except InputError as error:
                raise InputError(f"spec.sources[{number}].where", error.problem) from error
    if definition.group:
        find_column(definition.group, axes, "spec.group")
    for rule in definition.splits.rules:
        find_column(rule.axis, axes, "spec.splitBy")


def restore_validation(
    name: str, spec: SweepSpec, recipe: RecipeObject | None, default: Output | None, plan: str, runs: int
) -> ValidatedSweep | Problem:
    """Return the validation of a sweep whose plan and number of runs are known, or the problem of its inputs."""
    selected = select_inputs(spec, recipe, default)
    if isinstance(selected, Problem):
        return selected
    source, output = selected
    return ValidatedSweep(plan, runs, spec.recipe_ref.name if spec.recipe_ref else name, source, source.digest, output)


def select_inputs(
    spec: SweepSpec, recipe: RecipeObject | None, default: Output | None
) -> tuple[RecipeSpec, Output] | Problem:
    """Return recipe and output of a sweep without checking them, or the problem that one is missing."""
    output = spec.output or default
    if output is None:
        return Problem(
            reason=Reason.OUTPUT_MISSING,
            message="spec.output is missing and the operator has no default for this namespace; "
            "name the endpoint and bucket of a store.",
        )
    selected = _select_recipe(spec, recipe)
    return selected if isinstance(selected, Problem) else (selected, output)


def validate_recipe(recipe: RecipeObject) -> Problem | None:
    """Return the problem of a recipe without a sweep's overrides, or None if it is valid."""
    if recipe.problem:
        return _build_unreadable_problem(recipe)
    try:
        return _find_recipe_problem(read_recipe_objects(recipe.name, recipe.spec.recipe, recipe.spec.fragments))
    except InputError as error:
        return _build_invalid_problem(recipe.name, error)


def _select_recipe(spec: SweepSpec, recipe: RecipeObject | None) -> RecipeSpec | Problem:
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
    return _build_unreadable_problem(recipe) if recipe.problem else recipe.spec


def _build_unreadable_problem(recipe: RecipeObject) -> Problem:
    return _build_invalid_problem(recipe.name, InputError("", recipe.problem))


def _find_recipe_problem(source: RecipeSource) -> Problem | None:
    try:
        Sweep.from_source(source)
    except InputError as error:
        return _build_invalid_problem(source.name, error)
    return None


def _build_invalid_problem(name: str, error: InputError) -> Problem:
    return Problem(reason=Reason.RECIPE_INVALID, message=to_sentence(f"The recipe '{name}' is invalid: {error}"))


def to_sentence(text: str) -> str:
    """Return the text with a full stop, and with a capital unless it starts with a name or path."""
    first = text[:1].upper() if text.split(" ", 1)[0].isalpha() else text[:1]
    return f"{first}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
