"""Pictures of a recipe that Cycles traces, on the device; all others need none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.prototypes.techniques import TECHNIQUES
from synth_api.recipe.rendering import RenderParticles

if TYPE_CHECKING:
    from synth_api.recipe.model import Recipe


def has_traced_pictures(recipe: Recipe) -> bool:
    """Return True if a technique of the recipe is traced and a step makes real images."""
    techniques = recipe.blueprints.measurement_techniques.values()
    is_traced = any(TECHNIQUES[each.measurement_technique_prototype_name].is_traced for each in techniques)
    steps = (step for step in recipe.synth_chain.rendering_steps if isinstance(step, RenderParticles))
    return is_traced and any(step.rendering_mode == "real" for step in steps)
