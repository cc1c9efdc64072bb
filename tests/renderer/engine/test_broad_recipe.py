"""`recipes/sem_broad.yaml`: every draw has its own stream, and labels are the same on any processor."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from synth_api.sweep.definition import Sweep
from synth_renderer.model.deposit_report import DepositReport
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable

BROAD = Path(__file__).parents[3] / "recipes" / "sem_broad.yaml"
VARIABILITIES = "process_conditions.feature_variabilities"
SCENE = """
import hashlib, sys
from pathlib import Path
from synth_api.sweep.definition import Sweep
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.scene.staging import stage_scene
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch
digest = hashlib.sha256()
for seed in sys.argv[2:]:
    world = World(Sweep.load(Path(sys.argv[1]), [f"initial_runtime_state.seed={seed}"]).build_recipe(0))
    run_generation_steps(world, Stopwatch())
    scene = stage_scene(world)
    fragments = rasterise_bodies(scene.bodies, scene.technique.camera)
    for array in (fragments.pixel, fragments.depth, fragments.normal, scene.bodies.locations, scene.bodies.quaternions):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""


@cache
def world_of(*overrides: str, seed: int = 1) -> World:
    world = World(Sweep.load(BROAD, [f"initial_runtime_state.seed={seed}", *overrides]).build_recipe(0))
    run_generation_steps(world, Stopwatch())
    return world


def differing(one: World, other: World) -> set[str]:
    """Features of technique and particles, and places, that are not the same in both."""
    first, second = one.require_technique().read_features(), other.require_technique().read_features()
    names = {name for name in first if first[name] != second[name]}
    assert one.particles.names == other.particles.names
    table, same = one.particles.features, other.particles.features
    for name in table.list_names():
        if not (table.read_column(name).values == same.read_column(name).values).all():
            names.add(name)
    if not (one.particles.quaternions == other.particles.quaternions).all():
        names.add("quaternions")
    return names


@pytest.mark.parametrize(
    ("variability", "off", "feature"),
    [
        ("EdgeStrength", "variability.mean=0.5", "edge_strength"),
        ("Clipping", "variability.share=0", "clipping"),
        ("GroundTexture", "variability.share=0", "ground_texture"),
        ("RoughnessSlope", "variability.share=0", "roughness_slope"),
        ("DetectorAsymmetry", "variability.share=0", "detector_asymmetry"),
    ],
)
def test_an_effect_that_is_switched_off_leaves_the_rest(variability: str, off: str, feature: str) -> None:
    changed = differing(world_of(), world_of(f"{VARIABILITIES}.{variability}.{off}"))
    assert changed <= {feature}
    assert changed or any(
        differing(world_of(seed=seed), world_of(f"{VARIABILITIES}.{variability}.{off}", seed=seed))
        for seed in (2, 3, 4)
    ), "the effect is on in none of the seeds"


def test_one_blueprint_makes_a_picture() -> None:
    for seed in range(4):
        world = world_of("parameters.satellites=0", seed=seed)
        assert len(set(world.particles.blueprints)) == 1
        (report,) = world.physics
        assert isinstance(report, DepositReport)
        assert report.placed == len(world.particles) > 0


def test_satellites_are_a_class_of_their_own() -> None:
    blueprints = Sweep.load(BROAD).build_recipe(0).blueprints.particles
    assert {name for name, blueprint in blueprints.items() if blueprint.category == "satellite"} == {
        "Satellite",
        "NoSatellite",
    }
    worlds = [world_of("parameters.satellites=1e9", seed=seed) for seed in range(3)]
    assert all("NoSatellite" not in world.particles.blueprints for world in worlds)
    assert any("Satellite" in world.particles.blueprints for world in worlds)


@pytest.mark.parametrize(
    ("parameter", "feature", "expected"),
    [
        ("clipped", "clipping", lambda value: value > 0.001),
        ("halo", "halo", lambda value: value != 0),
        ("automatic", "auto_white", lambda value: value > 0),
        ("transparent", "transparency", lambda value: value > 0),
        ("info_bar", "info_bar", lambda value: value > 0),
        ("scale_bar", "scale_bar", lambda value: value > 0),
        ("contrast", "particle_contrast", lambda value: value > 0),
    ],
)
def test_a_share_of_pictures_is_one_parameter(parameter: str, feature: str, expected: Callable[[float], bool]) -> None:
    def has(share: int) -> bool:
        value = world_of(f"parameters.{parameter}={share}").require_technique().read_features()[feature]
        assert isinstance(value, float)
        return expected(value)

    assert (has(0), has(1)) == (False, True)


SIZES = ("equal", "unequal", "mixed", "large")


@pytest.mark.parametrize("chosen", SIZES)
def test_the_sizes_of_a_picture_are_a_choice_of_parameters(chosen: str) -> None:
    world = world_of(*(f"parameters.{name}={int(name == chosen)}" for name in SIZES))
    table = world.particles.features
    assert set(table.read_column("size_class").values) == {chosen}
    pixels = np.cbrt(np.prod(table.read_column("dimensions").values, axis=1)) / world.compute_pixel_size()
    assert (pixels.max() >= 100) or chosen != "large"
    assert pixels.std() / pixels.mean() < 0.16 or chosen != "equal"


@pytest.mark.slow
def test_scenes_are_the_same_on_any_processor(generic_processor: dict[str, str]) -> None:
    def digest(**environment: str) -> str:
        command = [sys.executable, "-c", SCENE, str(BROAD), "1", "4", "12"]
        return subprocess.run(
            command, env={**os.environ, **environment}, check=True, capture_output=True, text=True
        ).stdout

    assert digest(**generic_processor) == digest()
