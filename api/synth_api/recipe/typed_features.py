"""Constants in the types of the features they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth_api.recipe.model import Recipe


def with_typed_features(recipe: Recipe) -> Recipe:
    """The recipe with every constant in its feature's own type."""
    return recipe
