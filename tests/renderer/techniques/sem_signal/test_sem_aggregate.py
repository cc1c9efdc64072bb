"""The microscope for aggregates, its band of light, its materials, and the one skin of balls that fuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_api.prototypes.feature import FeatureValue
from synth_api.prototypes.materials import MATERIALS
from synth_api.prototypes.techniques import TECHNIQUES
from synth_renderer.labels.rasterise import rasterise_bodies
from synth_renderer.labels.visible import find_visible_surface
from synth_renderer.model.staged_scene import FeatureColumn, StagedScene
from synth_renderer.techniques.imaging.counting import count_electrons
from synth_renderer.techniques.imaging.scene_values import list_surface_names, make_particle_keys
from synth_renderer.techniques.registry import TECHNIQUES as TECHNIQUE_OF
from synth_renderer.techniques.sem_signal import band_light
from synth_renderer.techniques.sem_signal.ground import BAND_LEVEL, build_banded_ground
from synth_renderer.techniques.sem_signal.specimen import build_skin, compute_levels, place_skins

Stage = Callable[..., StagedScene]
BEADS = np.array([[-2.0, 0.0, 2.0, 4.0], [2.5, 1.0, 2.0, 4.0]])
QUIET = {"electrons": 0.0, "particle_variation": 0.0, "drift": 0.0}
NEW = ("illumination_strength", "noise_threshold", "illumination_rotation", "illumination_location")


def move_to_aggregate(scene: StagedScene, **features: FeatureValue) -> StagedScene:
    """Return the scene under `sem_aggregate`, its bodies half the volume lower."""
    declared = TECHNIQUES["sem_aggregate"].features
    values = dict(scene.technique.features) | {name: declared[name].default for name in NEW} | features
    technique = TECHNIQUE_OF["sem_aggregate"]
    return replace(
        scene,
        bodies=replace(scene.bodies, locations=scene.bodies.locations - np.array([0.0, 0.0, 25.6])),
        technique=replace(
            scene.technique,
            prototype="sem_aggregate",
            features=values,
            camera=technique.build_camera(values),
            volume=technique.build_volume(values),
        ),
    )


def picture(scene: StagedScene) -> NDArray[np.float64]:
    every = np.ones(len(scene), dtype=bool)
    surface = find_visible_surface(rasterise_bodies(scene.bodies, scene.technique.camera))
    made = TECHNIQUE_OF[scene.technique.prototype].make_picture(scene, every, every, surface, "cpu")
    return made.pixels.astype(float)


def fuse(scene: StagedScene, **features: float) -> StagedScene:
    """Return the scene with its beads as meta balls of the material `aggregated_texture`."""
    count = len(scene)
    columns = {
        name: FeatureColumn(np.full(count, value), np.ones(count, dtype=bool)) for name, value in features.items()
    }
    return replace(
        scene, geometries=("meta_ball_sphere",) * count, materials=("aggregated_texture",) * count, features=columns
    )


def test_the_volume_lies_around_the_origin_and_the_camera_as_high_above_the_substrate() -> None:
    values = {name: feature.default for name, feature in TECHNIQUES["sem_aggregate"].features.items()}
    own, other = TECHNIQUE_OF["sem_aggregate"], TECHNIQUE_OF["scanning_electron_microscope"]
    volume = own.build_volume(values)
    assert (volume.lower, volume.upper) == ((-60.0, -60.0, -25.6), (60.0, 60.0, 25.6))
    assert own.build_camera(values).location[2] == pytest.approx(other.build_camera(values).location[2] - 25.6)
    assert values["illumination_rotation"] == 0
    assert values["illumination_location"] == 20


def test_with_its_defaults_the_picture_is_the_scanning_microscopes(stage_beads: Stage) -> None:
    scene = stage_beads(BEADS, **QUIET)
    assert np.abs(picture(move_to_aggregate(scene)) - picture(scene)).max() <= 1


def test_a_turned_band_brightens_the_side_that_it_raises(stage_beads: Stage) -> None:
    scene = stage_beads(BEADS[:1] * [0, 0, 1, 1], **QUIET, detector_asymmetry=0.0, shadowing=0.0)
    level, turned = picture(move_to_aggregate(scene)), picture(move_to_aggregate(scene, illumination_rotation=0.2))
    change = turned - level
    assert change[54:74, 46:60].mean() > 3
    assert change[54:74, 68:82].mean() < -3


def test_a_lower_band_shadows_deeper_and_a_higher_threshold_is_noisier(stage_beads: Stage) -> None:
    scene = stage_beads(BEADS, **QUIET)
    default, low = picture(move_to_aggregate(scene)), picture(move_to_aggregate(scene, illumination_location=-60.0))
    assert (low <= default).all()
    assert low.mean() < default.mean() - 1
    counted = stage_beads(BEADS, **QUIET | {"electrons": 500.0})
    quiet, noisy = (picture(move_to_aggregate(counted, noise_threshold=value)) - default for value in (0.05, 0.1))
    assert noisy.std() == pytest.approx(2 * quiet.std(), rel=0.1)
    np.testing.assert_array_equal(picture(move_to_aggregate(counted, noise_threshold=0.0)), default)


def test_illumination_strength_is_a_gain(stage_beads: Stage) -> None:
    scene = stage_beads(BEADS, **QUIET)
    double = picture(move_to_aggregate(replace(scene, technique=replace(
        scene.technique, features=dict(scene.technique.features) | {"gain": 2.0}))))  # fmt: skip
    np.testing.assert_array_equal(picture(move_to_aggregate(scene, illumination_strength=4.0)), double)


def test_formulas_of_the_band() -> None:
    slope = (20 + 96 + 25.6) / 192
    assert band_light.compute_slope(20) == slope
    assert band_light.deepen_shadows(0.8, 20) == 0.8
    assert band_light.deepen_shadows(0.8, -25.6) == pytest.approx(0.8 * slope / 0.5)
    assert band_light.tilt_detector(0.2, 180.0, 0.0, 20) == (0.2, 180.0)
    assert band_light.tilt_detector(0.0, 180.0, 0.1, 20) == (pytest.approx(0.1 / slope**2), 180.0)
    assert band_light.tilt_detector(0.3, 90.0, -5.0, 20)[0] == 1.0
    assert count_electrons(500, 0.1) == 125
    assert count_electrons(500, 0.0) == 0


def test_band_noise_has_soft_level_bands() -> None:
    ground = build_banded_ground(200, 100)
    assert not ground.height.any()
    assert (ground.level == ground.level[:, :1]).all()
    assert ground.level.max() == pytest.approx(BAND_LEVEL, rel=1e-3)
    assert ground.level.min() == pytest.approx(0.81 * BAND_LEVEL, rel=1e-3)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(ground.level[:, 0]))))
    assert np.diff(turns) == pytest.approx(np.pi / 10 * 200, abs=2)


def test_bump_strength_is_the_slope_of_the_skin(stage_beads: Stage) -> None:
    assert MATERIALS["aggregated_texture"].features["bump_strength"].default == 0.533
    scene = stage_beads(BEADS, **QUIET)
    skin = build_skin(fuse(scene, bump_strength=0.533))
    assert skin.slopes.tolist() == [0.533, 0.533]
    np.testing.assert_allclose(skin.waves, 1.0)
    smooth, rough = picture(fuse(scene, bump_strength=0.0)), picture(fuse(scene, bump_strength=0.533))
    np.testing.assert_array_equal(smooth, picture(fuse(scene)))
    inside = (slice(60, 72), slice(36, 52))
    assert (rough - smooth)[inside].std() > 3


@pytest.mark.parametrize("geometry", ["meta_ball_sphere", "sphere"])
def test_balls_that_fuse_have_one_skin_and_one_grey(stage_beads: Stage, geometry: str) -> None:
    scene = replace(
        fuse(stage_beads(BEADS, particle_variation=0.3, composition_share=0.5), bump_strength=0.5),
        geometries=(geometry,) * 2,
    )
    is_one = geometry == "meta_ball_sphere"
    assert (len(set(list_surface_names(scene))) == 1) == is_one
    assert (len(set(make_particle_keys(scene, "roughness_slope").tolist())) == 1) == is_one
    assert (len(set(compute_levels(scene).tolist())) == 1) == is_one
    assert (place_skins(scene).locations == 0).all() == is_one


def test_fused_bodies_share_the_scale_of_the_largest(stage_beads: Stage) -> None:
    beads: Any = BEADS.copy()
    beads[1, 3] = 2.0
    skin = build_skin(fuse(stage_beads(beads), bump_strength=0.5))
    np.testing.assert_allclose(skin.waves, 1.0)
