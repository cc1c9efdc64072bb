"""Shapes of their own kind under the transmission electron microscope: the picture holds all their mass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_api.recipe.parsing import parse_recipe
from synth_renderer.model.staged_scene import StagedScene
from synth_renderer.scene.staging import stage_scene
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch

DENSITY = 0.3
SHAPES: dict[str, dict[str, Any]] = {
    "sphere": {"dimensions": [4.0, 4.0, 4.0]},
    "meta_ball_sphere": {"dimensions": [4.0, 4.0, 4.0]},
    "fibre": {"dimensions": [1.5, 1.5, 12.0], "curvature": 150.0, "branches": 2},
}


def stage(geometry: str, *places: tuple[float, float, float]) -> StagedScene:
    """Return bodies of a geometry in a sharp picture of 200 x 200 pixels, 10 to a scene unit."""
    sharp = {"resolution_x": 200, "resolution_y": 200, "lens_radius": 0.0}
    tree = {
        "initial_runtime_state": {"seed": 5},
        "blueprints": {
            "measurement_techniques": {
                "TEM": {
                    "measurement_technique_prototype_name": "transmission_electron_microscope",
                    "features": sharp,
                }
            },
            "particles": {
                "P": {
                    "geometry_prototype_name": geometry,
                    "material_prototype_name": "tem_amorphous",
                    "number": len(places),
                    "features": {"density": DENSITY, **SHAPES[geometry]},
                }
            },
        },
        "synth_chain": {
            "feature_generation_steps": [
                {"_target_": "$builtins.InvokeBlueprints", "affected_set_name": f"All{kind}Blueprints"}
                for kind in ("MeasurementTechnique", "Particle")
            ],
            "rendering_steps": [],
        },
    }
    world = World(parse_recipe(tree))
    run_generation_steps(world, Stopwatch())
    for row, place in enumerate(places):
        world.particles.set_feature(row, "location", place)
        world.particles.quaternions[row] = (0.5**0.5, 0.5**0.5, 0.0, 0.0)
    return stage_scene(world)


def measure_exponent(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return -np.log(picture / 255)


@pytest.mark.parametrize("geometry", ["meta_ball_sphere", "fibre"])
def test_a_picture_holds_the_mass_of_all_bodies(take_picture, geometry: str) -> None:
    scene = stage(geometry, (-1.2, 0.5, 20.0), (1.2, -0.5, 20.0))
    bodies = scene.bodies
    volume = sum(
        bodies.meshes[mesh].volume * np.prod(scale)
        for mesh, scale in zip(bodies.mesh_index, bodies.scales, strict=True)
    )
    exponent = measure_exponent(take_picture(scene)).sum() / 100
    assert exponent == pytest.approx(0.5 * DENSITY * volume, rel=0.02)


def test_fibres_absorb_together_where_they_cross(take_picture) -> None:
    scene = stage("fibre", (0.0, 0.0, 10.0), (0.5, 0.3, 20.0))
    first, second = np.array([True, False]), np.array([False, True])
    one, two, both = (
        take_picture(scene, in_camera=each).astype(float) / 255 for each in (first, second, first | second)
    )
    assert ((one < 0.95) & (two < 0.95)).sum() > 100, "they cross"
    assert both == pytest.approx(one * two, abs=0.01)


def test_the_mass_that_two_fused_balls_share_counts_once(take_picture) -> None:
    places = (-1.0, 0.0, 20.0), (1.0, 0.0, 20.0)
    fused, apart = (
        measure_exponent(take_picture(stage(geometry, *places))) for geometry in ("meta_ball_sphere", "sphere")
    )
    chord = 2 * np.sqrt(2.0**2 - 1.0**2)
    assert apart[100, 100] == pytest.approx(0.5 * DENSITY * 2 * chord, rel=0.02)
    assert 0.5 * DENSITY * chord < fused[100, 100] < 0.5 * DENSITY * 1.5 * chord
