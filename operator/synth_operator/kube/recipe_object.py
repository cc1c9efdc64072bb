"""A SynthRecipe as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from synth_api.problems import convert_validation_error
from synth_api.resources.synth_recipe import RecipeSpec, RecipeStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class RecipeObject:
    """A SynthRecipe; `problem` is the error in a spec that cannot be read."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    spec: RecipeSpec
    status: RecipeStatus
    problem: str = ""

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the recipe in the API's JSON; a status that cannot be read counts as empty."""
        metadata = body["metadata"]
        spec, problem = RecipeSpec(recipe={}), ""
        try:
            spec = RecipeSpec.model_validate(body.get("spec", {}))
        except ValidationError as error:
            problem = str(convert_validation_error(error))
        try:
            status = RecipeStatus.model_validate(body.get("status") or {})
        except ValidationError:
            status = RecipeStatus()
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            spec=spec,
            status=status,
            problem=problem,
        )
