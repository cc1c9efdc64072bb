"""SynthRecipe: a recipe as a custom resource."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256

from pydantic import Field

from synth_api.canonical_json import canonical_json
from synth_api.resources.base import Part, Section
from synth_api.resources.conditions import Condition

KIND = "SynthRecipe"


class RecipeSpec(Part):
    """One recipe file as an object and the fragments that its `defaults` name."""

    recipe: Section
    """The recipe: a Hydra configuration with `defaults`, as in its YAML file."""
    fragments: dict[str, Section] = Field(default={}, max_length=64)
    """The recipe's fragments, path without its ending -> object."""

    @cached_property
    def digest(self) -> str:
        """sha256 of recipe and fragments as written, independent of the order of keys."""
        return sha256(canonical_json([self.recipe, self.fragments])).hexdigest()


class RecipeStatus(Part):
    """Result of the operator's check."""

    observed_generation: int = 0
    """Generation of the spec that was checked."""
    digest: str = ""
    """sha256 of recipe and fragments as written; empty when they are invalid."""
    conditions: tuple[Condition, ...] = ()
    """`Ready` and, of an invalid recipe, `Stalled`."""
