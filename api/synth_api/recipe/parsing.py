"""From a composed tree to a recipe: types, references, invocations and features, checked in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from synth_api.errors import InputError
from synth_api.problems import convert_validation_error, format_location
from synth_api.recipe.fitting_materials import check_materials
from synth_api.recipe.hollow_bodies import check_openings
from synth_api.recipe.invocation import check_invocation
from synth_api.recipe.model import Recipe
from synth_api.recipe.references import check_references
from synth_api.recipe.typed_features import convert_features

if TYPE_CHECKING:
    from synth_api.composition.source import Tree


def parse_recipe(tree: Tree) -> Recipe:
    """Return the recipe of a composed and resolved tree. Raises InputError for the first problem in it."""
    _check_missing_values(tree, ())
    try:
        recipe = Recipe.model_validate(tree)
    except ValidationError as error:
        raise convert_validation_error(error) from None
    check_references(recipe)
    check_materials(recipe)
    check_invocation(recipe)
    converted = convert_features(recipe)
    check_openings(converted)
    return converted


def _check_missing_values(value: Any, location: tuple[str | int, ...]) -> None:
    """Raise InputError for `???`, OmegaConf's mark of a missing value."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_missing_values(item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_missing_values(item, (*location, index))
    elif value == "???":
        raise InputError(
            format_location(location), "a value is missing; write it in the recipe or give it as an override"
        )
