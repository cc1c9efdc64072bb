"""A SynthRecipe as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from synth_api.resources.synth_recipe import RecipeSpec, RecipeStatus
from synth_operator.kube.custom_resource import read_spec, read_status

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
        spec, problem = read_spec(body, RecipeSpec(recipe={}))
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            spec=spec,
            status=read_status(body, RecipeStatus),
            problem=problem,
        )
