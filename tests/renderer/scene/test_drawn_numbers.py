"""The number of a blueprint's particles may be drawn, once in a run."""

from typing import Any

import pytest

from synth_api.errors import InputError
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.model import Recipe
from synth_api.recipe.parsing import parse_recipe
from synth_dataset.attempts.time_estimate import Work
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch

DRAWN = {"_target_": "$plugins.official.UniformDistributionInt", "location": 3, "scale": 5}


def recipe(number: Any, seed: int = 1) -> Recipe:
    steps = [
        {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": f"All{kind}Blueprints"}
        for kind in ("MeasurementTechnique", "Particle")
    ]
    return parse_recipe(
        {
            "initial_runtime_state": {"seed": seed},
            "blueprints": {
                "measurement_techniques": {
                    "SEM": {"measurement_technique_prototype_name": "scanning_electron_microscope"}
                },
                "particles": {
                    "P": {"geometry_prototype_name": "sphere", "number": number},
                    "Q": {"geometry_prototype_name": "sphere", "number": 2},
                },
            },
            "synth_chain": {"feature_generation_steps": steps, "rendering_steps": []},
        }
    )


def count(seed: int) -> int:
    world = World(recipe(DRAWN, seed))
    run_generation_steps(world, Stopwatch())
    assert world.particles.blueprints.count("Q") == 2
    return world.particles.blueprints.count("P")


def test_numbers_differ_between_seeds_and_keep_to_their_range() -> None:
    numbers = [count(seed) for seed in range(30)]
    assert set(numbers) == {3, 4, 5, 6, 7}
    assert count(3) == numbers[3]


def test_largest_number_counts_for_the_limit_and_the_estimate() -> None:
    assert Work.from_recipe(build_canonical_tree(recipe(DRAWN))).particles == 9
    choice = {"_target_": "$builtins.Choice", "values": [5, 40]}
    sometimes = {"_target_": "$builtins.Sometimes", "share": 0.5, "variability": choice, "otherwise": 60}
    assert recipe(choice).blueprints.particles["P"].max_number == 40
    assert recipe(sometimes).blueprints.particles["P"].max_number == 60
    with pytest.raises(InputError, match="there are 65,536 particles in all"):
        recipe(DRAWN | {"location": 65530})


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ({"_target_": "$builtins.LogUniform", "min": 1, "max": 9}, "values must be a whole number"),
        ({"_target_": "$builtins.Constant", "value": -1}, "-1 is too small"),
        (DRAWN | {"scale": 70_000}, "is too large"),
    ],
)
def test_other_draws_are_refused(number: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem) as refusal:
        recipe(number)
    assert refusal.value.path == "blueprints.particles.P.number"
