"""An opening needs a wall."""

from __future__ import annotations

from typing import Any

import pytest
from smallest_recipe import SMALLEST_RECIPE

from synth_api.recipe.parsing import parse_recipe

B = "$builtins."
INVOKE = [
    {"_target_": B + "InvokeBlueprints", "affected_set_name": f"All{kind}Blueprints"}
    for kind in ("MeasurementTechnique", "Particle")
]


def write_recipe(*particles: dict[str, Any], **drawn: Any) -> dict[str, Any]:
    """A recipe whose particles have these features, and which draws others."""
    triggers = [
        {
            "_target_": B + "TriggerFeatureUpdate",
            "affected_set_name": "AllParticles",
            "feature_variability_name": f"{name}Drawn",
        }
        for name in drawn
    ]
    return {
        **SMALLEST_RECIPE,
        "blueprints": {
            **SMALLEST_RECIPE["blueprints"],
            "particles": {
                f"P{index}": {"geometry_prototype_name": "rough_sphere", "number": 3, "features": features}
                for index, features in enumerate(particles)
            },
        },
        "process_conditions": {
            "feature_variabilities": {
                f"{name}Drawn": {
                    "feature_name": name,
                    "variability": {"_target_": B + "Constant", "value": value},
                }
                for name, value in drawn.items()
            }
        },
        "synth_chain": {"feature_generation_steps": [*INVOKE, *triggers], "rendering_steps": []},
    }


@pytest.mark.parametrize("features", [{"opening": 0.5}, {"opening": 0.5, "wall_thickness": 0}])
def test_an_opening_of_a_solid_body_is_refused(refusal, features: dict[str, float]) -> None:
    assert refusal(parse_recipe, write_recipe({}, features)) == (
        "blueprints.particles.P1.features.opening: 0.5 is a hole in the wall of a hollow body, and this one is solid;"
        " give a wall_thickness above 0, or leave the opening out"
    )


def test_a_drawn_opening_of_solid_bodies_is_refused(refusal) -> None:
    assert refusal(parse_recipe, write_recipe({}, opening=0.5)) == (
        "process_conditions.feature_variabilities.openingDrawn.feature_name: opening is a hole in the wall of a hollow"
        " body, and all particles are solid; give a wall_thickness above 0, or leave the opening out"
    )


def test_an_opening_in_a_wall_is_valid() -> None:
    assert parse_recipe(write_recipe({"opening": 0.5, "wall_thickness": 0.1}))
    assert parse_recipe(write_recipe({"opening": 0.9, "wall_thickness": 0.3}))
    assert parse_recipe(write_recipe({"opening": 0.5}, wall_thickness=0.1))
    assert parse_recipe(write_recipe({"opening": 0}))
    assert parse_recipe(write_recipe({}, {"wall_thickness": 0.1}, opening=0.5))
    assert parse_recipe(write_recipe({}, wall_thickness=0.1, opening=0.5))


def test_a_variability_that_no_step_draws_from_gives_no_opening() -> None:
    recipe = write_recipe({}, opening=0.5)
    recipe["synth_chain"]["feature_generation_steps"] = INVOKE
    assert parse_recipe(recipe)
