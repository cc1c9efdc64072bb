"""The step AgglomerateParticles: groups, rigid bodies in later steps, columns of the table, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_api.recipe.parsing import parse_recipe
from synth_dataset.documents.particle_table import read_table
from synth_dataset.documents.pictures import read_png
from synth_renderer.engine import render
from synth_renderer.model.errors import DrawError, RenderError
from synth_renderer.model.relax_report import PhysicsReport
from synth_renderer.scene.sets import find_members
from synth_renderer.scene.staging import stage_scene
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch

B = "$builtins."
DISTRIBUTE = {"_target_": B + "DistributeInMeasurementVolume", "affected_set_name": "AllParticles"}


def agglomerate(**parameters: Any) -> dict[str, Any]:
    return {
        "_target_": B + "AgglomerateParticles",
        "affected_set_name": "AllParticles",
        "mode": "cluster-cluster",
        "speed": 0.5,
        "randomness": 0,
        **parameters,
    }


def in_groups_of(number: float) -> dict[str, Any]:
    variability = {"_target_": B + "Constant", "value": number}
    return agglomerate(primary_particle_number_variability=variability)


def trigger(variability: str) -> dict[str, Any]:
    step = {"_target_": B + "TriggerFeatureUpdate", "affected_set_name": "AllParticles"}
    return {**step, "feature_variability_name": variability}


def run(
    *steps: dict[str, Any], number: int = 10, size: float = 2.0, geometry: str = "sphere", **features: Any
) -> World:
    invoke = [
        {"_target_": B + "InvokeBlueprints", "affected_set_name": f"All{kind}Blueprints"}
        for kind in ("MeasurementTechnique", "Particle")
    ]
    recipe = {
        "initial_runtime_state": {"seed": 5},
        "blueprints": {
            "measurement_techniques": {
                "SEM": {
                    "measurement_technique_prototype_name": "scanning_electron_microscope",
                    "features": {"resolution_x": 400, "resolution_y": 400},
                }
            },
            "particles": {
                "P": {
                    "geometry_prototype_name": geometry,
                    "number": number,
                    "features": {"dimensions": [size, size, size], **features},
                }
            },
        },
        "process_conditions": {
            "feature_variabilities": {
                "Height": {"feature_name": "location_z", "variability": {"_target_": B + "Constant", "value": 20.0}},
                "Size": {"feature_name": "dimensions", "variability": {"_target_": B + "Constant", "value": [1, 1, 1]}},
            }
        },
        "synth_chain": {"feature_generation_steps": [*invoke, *steps], "rendering_steps": []},
    }
    world = World(parse_recipe(recipe))
    run_generation_steps(world, Stopwatch())
    return world


def places(world: World) -> NDArray[np.float64]:
    return np.array(world.particles.features.read_column("location").values)


def distances(world: World) -> NDArray[np.float64]:
    """Of the centres of particles of one agglomerate (N, N); NaN for others."""
    at, agglomerates = places(world), world.particles.membership["agglomerate"]
    apart = np.linalg.norm(at[:, None] - at[None], axis=2)
    return np.where(agglomerates[:, None] == agglomerates[None], apart, np.nan)


def test_all_particles_form_one_agglomerate() -> None:
    world = run(agglomerate(), number=25)
    assert set(world.particles.membership["agglomerate"]) == {1}
    assert world.particles.membership["contacts"].sum() == 2 * 24
    apart = distances(world)[np.triu_indices(25, 1)]
    assert apart.min() == pytest.approx(2, abs=1e-6)
    assert np.count_nonzero(apart < 2 + 1e-6) == 24


@pytest.mark.parametrize("number", [3, 2.1])
def test_ten_in_threes_are_three_and_three_and_three_and_one(number: float) -> None:
    world = run(in_groups_of(number))
    assert world.particles.membership["agglomerate"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
    assert find_members(world, "AllUltimateParents").particles.nonzero()[0].tolist() == [0, 3, 6, 9]


@pytest.mark.parametrize(
    ("name", "colliding", "randomness"),
    [
        ("ballistic_cluster_agglomeration", "cluster-cluster", 0),
        ("diffusion_limited_cluster_agglomeration", "cluster-cluster", 1),
        ("ballistic_particle_agglomeration", "particle-cluster", 0),
        ("diffusion_limited_particle_agglomeration", "particle-cluster", 1),
    ],
)
def test_published_names_are_what_collides_and_how_it_flies(name: str, colliding: str, randomness: float) -> None:
    named = agglomerate(mode=name)
    del named["randomness"]
    spelled = run(agglomerate(mode=colliding, randomness=randomness), number=15)
    np.testing.assert_array_equal(places(run(named, number=15)), places(spelled))


def test_sintering_ratio_is_the_overlap() -> None:
    apart = distances(run(agglomerate(sintering_ratio=0.1), number=12))[np.triu_indices(12, 1)]
    assert apart.min() == pytest.approx(1.8, abs=1e-6)


def test_agglomerates_are_distributed_as_rigid_bodies() -> None:
    before, after = run(in_groups_of(5)), run(in_groups_of(5), DISTRIBUTE)
    np.testing.assert_allclose(distances(after), distances(before), atol=1e-9)
    assert (np.linalg.norm(places(after) - places(before), axis=1) > 0.01).all()
    alone = run(DISTRIBUTE)
    np.testing.assert_array_equal(places(after)[[0, 5]], places(alone)[[0, 5]])


def test_a_drawn_place_moves_the_agglomerate() -> None:
    before, after = run(in_groups_of(5)), run(in_groups_of(5), trigger("Height"))
    np.testing.assert_allclose(distances(after), distances(before), atol=1e-9)
    assert places(after)[[0, 5], 2].tolist() == [20, 20]


def test_sizes_do_not_change_in_agglomerates() -> None:
    with pytest.raises(RenderError, match="the feature 'dimensions' of particles in agglomerates would part them"):
        run(agglomerate(), trigger("Size"))


def test_agglomerates_are_deposited_as_rigid_bodies_and_surplus_ones_removed() -> None:
    put = {"_target_": B + "DepositOnSubstrate", "affected_set_name": "AllParticles", "layout": "sparse"}
    before = run(in_groups_of(5), number=200)
    after = run(in_groups_of(5), {**put, "coverage": 0.2}, number=200)
    agglomerates = after.particles.membership["agglomerate"]
    assert 0 < len(after.particles) < 200
    assert (np.bincount(agglomerates)[1:] % 5 == 0).all()
    kept = np.isin(before.particles.membership["agglomerate"], agglomerates)
    np.testing.assert_allclose(distances(after), distances(before)[np.ix_(kept, kept)], atol=1e-9)
    bottoms = [places(after)[agglomerates == each, 2].min() for each in set(agglomerates)]
    np.testing.assert_allclose(bottoms, 1, atol=1e-5)


def test_agglomerates_fall_as_rigid_bodies() -> None:
    fall = {"_target_": B + "RelaxCollisions", "affected_set_name": "AllParticles", "num_frames": 150, "damping": 0.5}
    before = run(in_groups_of(4), DISTRIBUTE, number=9, size=5)
    after = run(in_groups_of(4), DISTRIBUTE, {**fall, "use_gravity": True, "gravity": [0, 0, -100]}, number=9, size=5)
    np.testing.assert_allclose(distances(after), distances(before), atol=1e-9)
    heights = places(after)[:, 2]
    assert 0.98 * 2.5 < heights.min() < 1.02 * 2.5
    (report,) = after.physics
    assert isinstance(report, PhysicsReport)
    assert report.largest_overlap < 0.05
    assert (after.particles.quaternions[:8] != before.particles.quaternions[:8]).any()


def test_table_describes_the_agglomerates() -> None:
    agglomerates = stage_scene(run(in_groups_of(2), number=5)).agglomerates
    assert agglomerates is not None
    assert agglomerates.number.tolist() == [1, 1, 2, 2, 3]
    assert agglomerates.primaries.tolist() == [2, 2, 2, 2, 1]
    assert agglomerates.contacts.tolist() == [1, 1, 1, 1, 0]
    np.testing.assert_allclose(agglomerates.gyration_radius, np.sqrt([1.6, 1.6, 1.6, 1.6, 0.6]))
    np.testing.assert_allclose(agglomerates.fractal_prefactor, [*[2 * 1.6 ** (-1.91 / 2)] * 4, np.nan], rtol=1e-6)
    assert stage_scene(run()).agglomerates is None


def test_pixels_and_annotations_name_the_agglomerate(tmp_path: Path) -> None:
    world = run(in_groups_of(2), DISTRIBUTE, number=5)
    render(world.recipe, tmp_path, "cpu")
    ids, numbers = (read_png(tmp_path / name) for name in ("instances.png", "agglomerates.png"))
    assert numbers.dtype == np.uint16
    np.testing.assert_array_equal(numbers, np.array([0, 1, 1, 2, 2, 3])[ids])
    notes = json.loads((tmp_path / "annotations.json").read_bytes())["particles"]
    assert len(notes) > 3
    assert all(note["agglomerate"] == [1, 1, 2, 2, 3][note["id"] - 1] for note in notes)
    table = read_table(tmp_path / "particles.parquet")
    assert table.column("agglomerate").to_pylist() == [1, 1, 2, 2, 3]
    assert table.column("fractal_prefactor").to_pylist()[4] is None


def test_too_long_an_agglomerate_ends_the_run() -> None:
    with pytest.raises(RenderError, match=r"an agglomerate of 10 particles is .* long, and the measurement volume"):
        run(agglomerate(), size=30)


def test_spheres_that_are_not_round_end_the_run() -> None:
    with pytest.raises(RenderError, match="particle ellipsoidP is no sphere, and only spheres agglomerate"):
        run(agglomerate(), geometry="ellipsoid", height=0.5)
    with pytest.raises(RenderError, match="particle rough_sphereP is no sphere"):
        run(agglomerate(), geometry="rough_sphere", decoration_number=5)


@pytest.mark.parametrize("features", [{"wall_thickness": 0.1}, {"inclusion_size": 0.5}], ids=["hollow", "core"])
def test_spheres_with_parts_inside_agglomerate(features: dict[str, float]) -> None:
    particles = run(agglomerate(), geometry="rough_sphere", **features).particles
    assert (particles.membership["agglomerate"] == 1).all()
    places = particles.features.read_column("location").values
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 10 * np.eye(len(places))
    assert apart.min() == pytest.approx(2.0, abs=1e-5)


def test_a_particle_agglomerates_once() -> None:
    with pytest.raises(RenderError, match="particle sphereP is in an agglomerate already"):
        run(agglomerate(), agglomerate())


def test_number_of_primary_particles_is_positive() -> None:
    none = {"_target_": "$plugins.official.UniformDistributionInt", "location": 0, "scale": 1}
    with pytest.raises(DrawError, match="primary_particle_number_variability draws 0, and an agglomerate has"):
        run(agglomerate(primary_particle_number_variability=none))
