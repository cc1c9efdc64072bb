"""Materials of agglomerates under the traced electron microscope: bumps, and a ground with bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synth_renderer.model.staged_scene import FeatureColumn, StagedScene

BEAD = np.array([[0.0, 0.0, 10.0, 20.0]])
QUIET = {"resolution_percentage": 25, "cycles_samples": 4, "noise_threshold": 0.0, "line_noise": 0.0}
SMOOTH = QUIET | {"cycles_samples": 16}
INSIDE = (slice(105, 135), slice(105, 135))


def cover(scene: StagedScene, bump_strength: float) -> StagedScene:
    """Return the scene with its beads of the material `aggregated_texture`."""
    count = len(scene)
    strength = FeatureColumn(np.full(count, bump_strength), np.ones(count, dtype=bool))
    return replace(scene, materials=("aggregated_texture",) * count, features={"bump_strength": strength})


def test_bumps_of_the_default_strength_are_seen(stage_beads, take_picture) -> None:
    def measure_roughness(strength: float) -> float:
        grey = take_picture(cover(stage_beads(BEAD, **SMOOTH), strength)).astype(float)
        return float(np.diff(grey, axis=1)[INSIDE].std())

    assert measure_roughness(0.0) < 0.5 * measure_roughness(0.533)


def lay_bands(scene: StagedScene, bump_strength: float) -> StagedScene:
    """Return the scene on the background material `band_noise`."""
    features = {**scene.technique.features, "bump_strength": bump_strength}
    return replace(scene, technique=replace(scene.technique, background_material="band_noise", features=features))


def test_band_noise_has_level_bands_along_y(stage_beads, take_picture) -> None:
    ground = lay_bands(stage_beads(np.zeros((0, 4)), **QUIET), 0.533)
    grey: NDArray[np.float64] = take_picture(ground).astype(float)
    middle = grey[60:180, 60:180]
    assert middle.mean(axis=1).std() > 4 * middle.mean(axis=0).std()
    np.testing.assert_array_equal(take_picture(lay_bands(ground, 5.0)), grey)
