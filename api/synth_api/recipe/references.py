"""References inside a recipe: everything named exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth_api.recipe.model import Recipe


def check_references(recipe: Recipe) -> None:
    """Raise InputError for the first name that means nothing."""
