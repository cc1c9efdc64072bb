"""Scenes after a deposit of one kind of particles, without a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from synth_api.recipe.parsing import parse_recipe
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch

B = "$builtins."


def recipe_of(geometry: str, number: int, seed: int, sizes: Any, height: float, step: dict[str, Any]) -> Any:
    """A view of 20 x 20 scene units."""
    return {
        "initial_runtime_state": {"seed": seed},
        "blueprints": {
            "measurement_techniques": {
                "SEM": {
                    "measurement_technique_prototype_name": "scanning_electron_microscope",
                    "features": {"resolution_x": 200, "resolution_y": 200},
                }
            },
            "particles": {"P": {"geometry_prototype_name": geometry, "number": number}},
        },
        "process_conditions": {
            "feature_variabilities": {
                "Size": {"feature_name": "dimensions", "variability": sizes},
                "Height": {"feature_name": "height", "variability": {"_target_": B + "Constant", "value": height}},
            }
        },
        "synth_chain": {
            "feature_generation_steps": [
                {"_target_": B + "InvokeBlueprints", "affected_set_name": "AllMeasurementTechniqueBlueprints"},
                {"_target_": B + "InvokeBlueprints", "affected_set_name": "AllParticleBlueprints"},
                *(
                    {
                        "_target_": B + "TriggerFeatureUpdate",
                        "affected_set_name": "AllParticles",
                        "feature_variability_name": name,
                    }
                    for name in ("Size", "Height")
                ),
                {"_target_": B + "DepositOnSubstrate", "affected_set_name": "AllParticles", **step},
            ],
            "rendering_steps": [],
        },
    }


@pytest.fixture
def deposit() -> Callable[..., World]:
    """`deposit(layout, coverage, geometry=…, number=…, seed=…, size=…, spread=…, height=…, **step)`."""

    def make(
        layout: Any,
        coverage: Any,
        geometry: str = "rough_sphere",
        number: int = 400,
        seed: int = 3,
        size: float = 1.0,
        spread: float = 1.0,
        height: float = 1.0,
        **step: Any,
    ) -> World:
        sizes = {
            "_target_": B + "LogNormal",
            "median": size,
            "geometric_standard_deviation": spread,
            "num_dimensions": 3,
        }
        tree = recipe_of(geometry, number, seed, sizes, height, {"layout": layout, "coverage": coverage, **step})
        world = World(parse_recipe(tree))
        run_generation_steps(world, Stopwatch())
        return world

    return make


@pytest.fixture
def deposit_beside() -> Callable[..., World]:
    """`deposit_beside(layout, coverage, **step)`: small spheres of the blueprint Q beside or on large ones of P."""

    def make(layout: str, coverage: float, **step: Any) -> World:
        constant = {"_target_": B + "Constant", "value": [5.0, 5.0, 5.0]}
        tree = recipe_of("sphere", 6, 3, constant, 1.0, {"layout": "sparse", "coverage": 0.15})
        tree["blueprints"]["particles"]["Q"] = {"geometry_prototype_name": "sphere", "number": 60}
        conditions, steps = tree["process_conditions"], tree["synth_chain"]["feature_generation_steps"]
        del conditions["feature_variabilities"]["Height"]
        conditions["feature_variabilities"]["Small"] = {
            "feature_name": "dimensions",
            "variability": {"_target_": B + "Constant", "value": [0.6, 0.6, 0.6]},
        }
        conditions["feature_criteria"] = {
            "IsSmall": {
                "_target_": B + "ContainsString",
                "feature_name": "blueprint_name",
                "default_return_value": False,
                "search_string": "Q",
            }
        }
        conditions["sets"] = {
            "Large": {"criterion": "$IsParticle and not $IsSmall"},
            "Small": {"criterion": "$IsParticle and $IsSmall"},
        }
        steps[3] |= {"affected_set_name": "Small", "feature_variability_name": "Small"}
        steps[4] |= {"affected_set_name": "Large"}
        small = {"affected_set_name": "Small", "deposited_set_name": "Large", "layout": layout, "coverage": coverage}
        steps.append({"_target_": B + "DepositOnSubstrate", "minimum_coverage": 0.0, **small, **step})
        world = World(parse_recipe(tree))
        run_generation_steps(world, Stopwatch())
        return world

    return make
