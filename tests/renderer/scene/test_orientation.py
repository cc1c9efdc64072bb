"""The feature `orientation` of every geometry prototype, in each step that places particles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synth_api.errors import InputError
from synth_api.prototypes.geometries import GEOMETRIES
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.model.transforms import rotation_matrix
from synth_renderer.scene.world import World
from synth_renderer.steps.feature_generation import run_generation_steps
from synth_renderer.steps.stopwatch import Stopwatch

B = "$builtins."
DISTRIBUTE = {"_target_": B + "DistributeInMeasurementVolume", "affected_set_name": "AllParticles"}
RELAX = {"_target_": B + "RelaxCollisions", "affected_set_name": "AllParticles", "num_frames": 1}


def place(
    geometry: str,
    *steps: dict[str, Any],
    number: int = 60,
    variabilities: dict[str, tuple[str, dict[str, Any]]] | None = None,
    **features: Any,
) -> World:
    """A scene after steps that place particles of one kind in a view of 20 x 20 scene units.

    `variabilities` are feature and variability by name.
    """
    tree = {
        "initial_runtime_state": {"seed": 3},
        "blueprints": {
            "measurement_techniques": {
                "SEM": {
                    "measurement_technique_prototype_name": "scanning_electron_microscope",
                    "features": {"resolution_x": 200, "resolution_y": 200},
                }
            },
            "particles": {"P": {"geometry_prototype_name": geometry, "number": number, "features": features}},
        },
        "process_conditions": {
            "feature_variabilities": {
                name: {"feature_name": feature, "variability": variability}
                for name, (feature, variability) in (variabilities or {}).items()
            }
        },
        "synth_chain": {
            "feature_generation_steps": [
                {"_target_": B + "InvokeBlueprints", "affected_set_name": "AllMeasurementTechniqueBlueprints"},
                {"_target_": B + "InvokeBlueprints", "affected_set_name": "AllParticleBlueprints"},
                *steps,
            ],
            "rendering_steps": [],
        },
    }
    world = World(parse_recipe(tree))
    run_generation_steps(world, Stopwatch())
    return world


def deposit(**parameters: Any) -> dict[str, Any]:
    values = {"layout": "sparse", "coverage": 0.4, "minimum_coverage": 0.05, **parameters}
    return {"_target_": B + "DepositOnSubstrate", "affected_set_name": "AllParticles", **values}


def axes(world: World, axis: int) -> np.ndarray:
    """Return the particles' x, y or z axis in the world (N, 3)."""
    return np.array([rotation_matrix(quaternion)[:, axis] for quaternion in world.particles.quaternions])


def test_every_geometry_prototype_has_it() -> None:
    for prototype in GEOMETRIES.values():
        assert prototype.features["orientation"].choices == ("none", "free", "flat", "aligned")


@pytest.mark.parametrize("geometry", ["ellipsoid", "rod"])
def test_particles_are_not_turned_without_it(geometry: str) -> None:
    assert (place(geometry, DISTRIBUTE).particles.quaternions == [1, 0, 0, 0]).all()


@pytest.mark.parametrize("geometry", ["ellipsoid", "rod"])
def test_free_particles_have_any_orientation(geometry: str) -> None:
    along = axes(place(geometry, DISTRIBUTE, number=500, orientation="free"), 2)
    assert np.abs(along.mean(axis=0)).max() < 0.1
    np.testing.assert_allclose((along**2).mean(axis=0), 1 / 3, atol=0.06)


@pytest.mark.parametrize("step", [DISTRIBUTE, deposit()], ids=["distribute", "deposit"])
def test_flat_particles_lie_on_a_side(step: dict[str, Any]) -> None:
    rods = axes(place("rod", step, orientation="flat"), 2)
    np.testing.assert_allclose(rods[:, 2], 0, atol=1e-6)
    assert len(np.unique(np.round(np.abs(rods[:, 0]), 3))) > 20
    ellipsoids = axes(place("ellipsoid", step, orientation="flat"), 2)
    np.testing.assert_allclose(np.abs(ellipsoids[:, 2]), 1, atol=1e-6)


@pytest.mark.parametrize("step", [DISTRIBUTE, deposit(), deposit(layout="heap")], ids=["distribute", "sparse", "heap"])
def test_aligned_particles_lie_along_their_heading(step: dict[str, Any]) -> None:
    rods = axes(place("rod", step, orientation="aligned", orientation_heading=30.0), 2)
    np.testing.assert_allclose(np.abs(rods @ [np.cos(np.pi / 6), 0.5, 0]), 1, atol=1e-6)


@pytest.mark.parametrize("spread", [5.0, 15.0])
def test_the_spread_is_the_standard_deviation_of_the_direction(spread: float) -> None:
    features = {"orientation": "aligned", "orientation_heading": 90.0, "orientation_spread": spread}
    rods = axes(place("rod", DISTRIBUTE, number=800, **features), 2)
    angles = np.degrees(np.arctan(-rods[:, 0] / rods[:, 1]))
    assert angles.std() == pytest.approx(spread, rel=0.08)
    assert abs(angles.mean()) < 0.2 * spread


def test_aligned_particles_of_a_raft_lie_alike_up_to_the_spread() -> None:
    raft = deposit(layout="rafts", cluster_size=4)
    widths = []
    for spread in (0.0, 10.0):
        features = {"orientation": "aligned", "orientation_spread": spread}
        rods = axes(place("rod", raft, number=200, dimensions=(0.4, 0.4, 1.6), **features), 2)
        cosines = np.sort(np.abs((rods @ rods.T)[np.triu_indices(len(rods), 1)]))
        widths.append(1 - cosines[-len(rods) :].mean())
        assert rods[:, 0].std() > 0.2
    assert widths[0] < 1e-6 < 1e-5 < widths[1]


def test_the_feature_goes_before_the_parameter_of_the_deposit() -> None:
    rods = axes(place("rod", deposit(orientation="free"), orientation="flat"), 2)
    np.testing.assert_allclose(rods[:, 2], 0, atol=1e-6)
    rods = axes(place("rod", deposit(orientation="flat"), orientation="free"), 2)
    assert np.abs(rods[:, 2]).max() > 0.5


def test_the_parameter_of_a_deposit_leaves_the_smooth_ellipsoid_as_it_lands() -> None:
    """Labels of a run key stay: only the feature, which is younger, lays it down."""
    assert np.abs(axes(place("ellipsoid", deposit(orientation="flat")), 2)[:, 2]).min() < 0.5


def test_relaxation_begins_with_the_orientation_of_the_feature_or_of_an_earlier_step() -> None:
    still = {**RELAX, "angular_damping": 1.0, "linear_damping": 1.0}
    relaxed = place("sphere", still, number=1, orientation="free").particles.quaternions
    assert (relaxed != [[1, 0, 0, 0]]).all()
    distributed = place("sphere", DISTRIBUTE, number=1, orientation="free").particles.quaternions
    both = place("sphere", DISTRIBUTE, still, number=1, orientation="free").particles.quaternions
    np.testing.assert_allclose(both, distributed, atol=1e-6)


def test_orientations_may_be_drawn_for_each_particle() -> None:
    variability = {"_target_": B + "Choice", "values": ["flat", "none"]}
    draw = {
        "_target_": B + "TriggerFeatureUpdate",
        "affected_set_name": "AllParticles",
        "feature_variability_name": "Pose",
    }
    rods = axes(place("rod", draw, DISTRIBUTE, variabilities={"Pose": ("orientation", variability)}), 2)
    upright = rods[:, 2] == 1
    assert 15 < upright.sum() < 45
    np.testing.assert_allclose(rods[~upright][:, 2], 0, atol=1e-6)


def test_an_agglomerate_turns_as_one_body() -> None:
    agglomerate = {
        "_target_": B + "AgglomerateParticles",
        "affected_set_name": "AllParticles",
        "mode": "cluster-cluster",
        "speed": 1.0,
        "randomness": 0.5,
    }
    location = "location"
    still, turned = (
        place("sphere", agglomerate, DISTRIBUTE, number=6, **features).particles
        for features in ({}, {"orientation": "free"})
    )
    first, second = (each.features.read_column(location).values for each in (still, turned))
    np.testing.assert_allclose(second.mean(axis=0), first.mean(axis=0), atol=1e-9)
    assert np.abs(second - first).max() > 0.1
    lengths = [np.linalg.norm(each[:, None] - each[None], axis=2) for each in (first, second)]
    np.testing.assert_allclose(*lengths, atol=1e-9)


def test_an_unknown_orientation_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"orientation: there is no 'upright' here; known are aligned, flat, free, none"
    ):
        place("rod", DISTRIBUTE, orientation="upright")
