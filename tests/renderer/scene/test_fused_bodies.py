"""Meta balls in a scene: labels, tables and STL files of one fused surface; errors."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree

from synth_api.errors import InputError
from synth_api.recipe.ineffective_values import describe_ineffective_values
from synth_api.recipe.model import Recipe
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.stl import write_stl
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.model.errors import ShapeError
from synth_renderer.model.staged_scene import StagedScene
from synth_renderer.scene.staging import build_scaled_mesh, stage_scene
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch

B = "$builtins."


def invoke(number: int, size: float, *steps: dict[str, Any], **features: Any) -> Recipe:
    """Return a recipe of balls of one size in the middle of a picture of 120 pixels, 10 to a scene unit, and of steps
    with all of them.
    """
    invocations = [
        {"_target_": B + "InvokeBlueprints", "affected_set_name": f"All{kind}Blueprints"}
        for kind in ("MeasurementTechnique", "Particle")
    ]
    further = [{**step, "affected_set_name": "AllParticles"} for step in steps]
    return parse_recipe(
        {
            "initial_runtime_state": {"seed": 5},
            "blueprints": {
                "measurement_techniques": {
                    "SEM": {
                        "measurement_technique_prototype_name": "scanning_electron_microscope",
                        "features": {"resolution_x": 120, "resolution_y": 120},
                    }
                },
                "particles": {
                    "Ball": {
                        "geometry_prototype_name": "meta_ball_sphere",
                        "material_prototype_name": "sem_particle",
                        "number": number,
                        "features": {"dimensions": [size] * 3, "location": [0, 0, 20], **features},
                    }
                },
            },
            "synth_chain": {"feature_generation_steps": [*invocations, *further], "rendering_steps": []},
        }
    )


def make_world(recipe: Recipe) -> World:
    world = World(recipe)
    run_generation_steps(world, Stopwatch())
    return world


def stage(recipe: Recipe, *places: tuple[float, float, float]) -> StagedScene:
    world = make_world(recipe)
    for row, place in enumerate(places):
        world.particles.set_feature(row, "location", place)
    return stage_scene(world)


@pytest.mark.parametrize(("threshold", "diameter"), [(0.6, 1.03), (0.001, 1.72)])
def test_labels_show_a_lone_ball_as_wide_as_its_field_says(threshold: float, diameter: float) -> None:
    scene = stage(invoke(1, 4.0, influence_threshold=threshold))
    fragments = rasterise_bodies(scene.bodies, scene.technique.camera)
    width = 2 * np.sqrt(len(fragments.pixel) / np.pi) / 10
    assert width == pytest.approx(4 * diameter, abs=0.03)
    assert scene.bodies.is_sphere.all()


def test_a_pixel_belongs_to_the_ball_with_the_largest_field() -> None:
    scene = stage(invoke(3, 4.0), (-2.0, -1.0, 20.0), (2.0, -1.0, 20.0), (0.0, 2.0, 20.0))
    ids = find_visible_surface(rasterise_bodies(scene.bodies, scene.technique.camera)).ids
    assert set(np.unique(ids)) == {0, 1, 2, 3}
    rows, columns = np.nonzero(ids)
    places = np.stack([(columns - 59.5) / 10, (59.5 - rows) / 10], axis=1)
    nearest = np.linalg.norm(places[:, None] - scene.bodies.locations[None, :, :2], axis=2).argmin(axis=1)
    assert np.count_nonzero(nearest + 1 != ids[rows, columns]) <= 0.002 * len(rows), "equal balls: the nearest one's"
    middle = ids[70, 40:80]
    assert (middle > 0).all(), "balls that touch have a neck"


def test_an_stl_file_has_the_fused_surface_without_walls() -> None:
    scene = stage(invoke(2, 4.0), (-2.0, 0.0, 20.0), (2.0, 0.0, 20.0))
    file = io.BytesIO()
    write_stl(file, scene.bodies, [0, 1])
    facets = np.frombuffer(file.getvalue()[84:], dtype=[("f", "<f4", 12), ("a", "<u2")])["f"].reshape(-1, 4, 3)
    corners = facets[:, 1:].astype(float)
    a, b, c = corners.transpose(1, 0, 2)
    assert len(corners) == sum(len(mesh.triangles) - mesh.walls for mesh in scene.bodies.meshes if mesh.walls)
    volume = (a * np.cross(b, c)).sum() / 6
    assert volume == pytest.approx(sum(mesh.volume for mesh in scene.bodies.meshes if mesh.walls), rel=1e-4)


def test_balls_of_another_blueprint_do_not_fuse() -> None:
    recipe = invoke(1, 4.0)
    first = recipe.blueprints.particles["Ball"]
    blueprints = recipe.blueprints.model_copy(update={"particles": {"Ball": first, "Other": first}})
    scene = stage(recipe.model_copy(update={"blueprints": blueprints}), (-1.0, 0.0, 20.0), (1.0, 0.0, 20.0))
    assert scene.bodies.is_sphere.tolist() == [True, True]


def test_a_hidden_ball_has_no_part_and_no_pixel() -> None:
    scene = stage(invoke(2, 4.0), (0.0, 0.0, 20.0), (0.0, 0.0, 20.0))
    fragments = rasterise_bodies(scene.bodies, scene.technique.camera)
    assert np.diff(fragments.start)[1] == 0
    assert scene.bodies.scales[1].tolist() == [0, 0, 0]


def test_a_ball_is_placed_and_moved_as_its_sphere() -> None:
    world = make_world(invoke(2, 4.0))
    body = build_scaled_mesh(world.particles, 0, None, {})
    assert body.is_sphere
    assert body.thickness.tolist() == [4, 4, 4]


DISTRIBUTE = {"_target_": B + "DistributeInMeasurementVolume"}
FALL = {"_target_": B + "RelaxCollisions", "use_gravity": True, "gravity": [0.0, 0.0, -1000.0], "num_frames": 20}
DEPOSIT = {"_target_": B + "DepositOnSubstrate", "layout": "heap", "coverage": 0.5, "minimum_coverage": 0.0}
AGGLOMERATE = {"_target_": B + "AgglomerateParticles", "mode": "ballistic_cluster_agglomeration", "speed": 0.5}


@pytest.mark.parametrize(("steps", "accuracy"), [([DISTRIBUTE, FALL], 0.01), ([DEPOSIT], 0.01), ([AGGLOMERATE], 1e-6)])
def test_balls_touch_where_spheres_of_their_dimensions_do(steps: list[dict[str, Any]], accuracy: float) -> None:
    world = make_world(invoke(100, 2.0, *steps))
    places = world.particles.features.read_column("location").values
    apart = cKDTree(places).query(places, 2)[0][:, 1]
    assert len(places) > 20
    assert apart.min() == pytest.approx(2.0, abs=accuracy)


@pytest.mark.parametrize(
    ("feature", "value", "sentence"),
    [
        (
            "influence_threshold",
            2.5,
            "values must be at most 1.99, 2.5 is too large: a ball's field is 2 in its middle, and from there on a ball"
            " alone has no surface",
        ),
        ("influence_threshold", 0.0, "values must be at least 0.001, 0 is too small"),
        ("render_resolution", 0.0, "values must be at least 0.01, 0 is too small"),
    ],
)
def test_a_threshold_without_a_surface_is_refused(feature: str, value: float, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        invoke(2, 4.0, **{feature: value})
    assert str(error.value) == f"blueprints.particles.Ball.features.{feature}: {sentence}"


def test_a_mesh_that_is_too_fine_is_refused() -> None:
    with pytest.raises(ShapeError) as error:
        stage(invoke(2, 50.0, render_resolution=0.02))
    assert str(error.value) == (
        "the largest ball of the blueprint Ball is 50 scene units long, more than 1000 times the distance of 0.02"
        " between the points of its surface; raise render_resolution, or the size of the smallest ball"
    )


def test_the_resolution_of_the_viewport_has_no_effect() -> None:
    (sentence,) = describe_ineffective_values(invoke(1, 4.0, resolution=0.5))
    assert sentence.endswith(
        "features.resolution: 0.5 has no effect: pictures, labels and states have `render_resolution`"
    )
