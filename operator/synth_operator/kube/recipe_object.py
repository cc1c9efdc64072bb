"""A SynthRecipe as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from synth_api.resources.synth_recipe import RecipeSpec, RecipeStatus
from synth_operator.kube.custom_resource import CustomResource, read_fields

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class RecipeObject(CustomResource):
    """A SynthRecipe with its spec and status."""

    spec: RecipeSpec
    status: RecipeStatus

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the recipe in the API's JSON; a status that cannot be read counts as empty."""
        return cls(**read_fields(body, RecipeSpec(recipe={}), RecipeStatus))
