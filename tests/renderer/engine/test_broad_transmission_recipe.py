"""`recipes/tem_broad.yaml`: each share of bodies with parts draws bodies that have these parts and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_api.sweep.definition import Sweep
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch

BROAD = Path(__file__).parents[3] / "recipes" / "tem_broad.yaml"
PARTS = ("wall_thickness", "inclusion_size", "decoration_number", "pore_depth")


@pytest.mark.parametrize(
    ("share", "blueprint", "parts"),
    [
        ("hollow", "HollowSphere", {"wall_thickness"}),
        ("loose_core", "HollowCoreSphere", {"wall_thickness", "inclusion_size"}),
        ("core_aside", "CoreSphere", {"inclusion_size"}),
        ("decorated", "DecoratedSphere", {"decoration_number"}),
        ("porous", "PorousSphere", {"pore_depth"}),
    ],
)
def test_bodies_have_the_parts_of_their_share(share: str, blueprint: str, parts: set[str]) -> None:
    overrides = [f"parameters.{share}=1e6", "parameters.satellites=0", "parameters.core=1"]
    world = World(Sweep.load(BROAD, ["initial_runtime_state.seed=1", *overrides]).build_recipe(0))
    run_generation_steps(world, Stopwatch())
    features = world.particles.features
    assert set(world.particles.blueprints) == {blueprint}
    assert {name for name in PARTS if (features.read_column(name).values > 0).all()} == parts
    assert {name for name in PARTS if (features.read_column(name).values > 0).any()} == parts
    assert not features.read_column("core_size").values.any(), "the core of the substance would be hollow as its body"
