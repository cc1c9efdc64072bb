"""Check of openings: only a hollow body has a wall in which a hole can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.problems import format_location
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.recipe.feature_generation import TriggerFeatureUpdate

if TYPE_CHECKING:
    from synth_api.recipe.model import ParticleBlueprint, Recipe

_REMEDY = "is a hole in the wall of a hollow body, and {}; give a wall_thickness above 0, or leave the opening out"


def check_openings(recipe: Recipe) -> None:
    """Raise InputError for an opening of particles that are solid in every run."""
    drawn = _find_drawn_features(recipe)
    openable = {
        name: blueprint
        for name, blueprint in recipe.blueprints.particles.items()
        if "opening" in GEOMETRIES[blueprint.geometry_prototype_name].features
    }
    solid = {name: each for name, each in openable.items() if "wall_thickness" not in drawn and not _has_wall(each)}
    for name, blueprint in solid.items():
        opening = blueprint.features.get("opening")
        if opening:
            path = format_location(("blueprints", "particles", name, "features", "opening"))
            raise InputError(path, f"{opening:g} {_REMEDY.format('this one is solid')}")
    if "opening" in drawn and openable and len(solid) == len(openable):
        path = format_location(("process_conditions", "feature_variabilities", drawn["opening"], "feature_name"))
        raise InputError(path, f"opening {_REMEDY.format('all particles are solid')}")


def _has_wall(blueprint: ParticleBlueprint) -> bool:
    return bool(blueprint.features.get("wall_thickness"))


def _find_drawn_features(recipe: Recipe) -> dict[str, str]:
    """Return feature -> variability from which a step draws it."""
    variabilities = recipe.process_conditions.feature_variabilities
    return {
        variabilities[step.feature_variability_name].feature_name: step.feature_variability_name
        for step in recipe.synth_chain.feature_generation_steps
        if isinstance(step, TriggerFeatureUpdate)
    }
