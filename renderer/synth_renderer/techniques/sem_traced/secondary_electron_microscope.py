"""Scanning electron microscope with a secondary electron detector at the side, seen from above, traced by Cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_renderer.model.camera import Camera
from synth_renderer.techniques.base.feature_values import read_number, read_resolution, read_samples
from synth_renderer.techniques.base.microscope_view import COLUMN_HEIGHT, compute_view, compute_volume
from synth_renderer.techniques.base.technique import Picture
from synth_renderer.techniques.sem_traced.detector import detect_electrons
from synth_renderer.techniques.sem_traced.instrument_features import read_electronics
from synth_renderer.techniques.sem_traced.smoothing import smooth_picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.blender import bpy
    from synth_renderer.labels.fragments import VisibleSurface
    from synth_renderer.model.staged_scene import Box, StagedScene, StagedTechnique

SAMPLES: Final = 8
"""Paths per pixel; what noise they leave is blue and smoothed away."""

SMOOTHING: Final = 1.8
"""Standard deviation of that smoothing, pixels at 100 %."""


class SecondaryElectronMicroscope:
    """Orthographic view of 10 pixels per scene unit into a closed box that is 1.25 times as wide."""

    def build_camera(self, features: Mapping[str, FeatureValue]) -> Camera:
        """Straight down from the middle of the volume's lid; the percentage changes the sampling, not the view."""
        width, height = read_resolution(features)
        return Camera(width, height, (0.0, 0.0, COLUMN_HEIGHT), ortho_scale=max(compute_view(features)))

    def build_volume(self, features: Mapping[str, FeatureValue]) -> Box:
        """Centred on the axis, from the substrate to the camera."""
        return compute_volume(features)

    def has_walls(self) -> bool:
        """Return True: particles settle inside the volume."""
        return True

    def find_overlay_pixels(self, technique: StagedTechnique, seed: int) -> None:
        """Return None: the picture has no overlay."""

    def build_environment(self, scene: bpy.types.Scene, technique: StagedTechnique) -> None:
        """Add measurement volume, substrate and detector, and focus the camera."""
        from synth_renderer.techniques.sem_traced.detector_environment import build_environment

        build_environment(scene, technique)

    def make_picture(
        self,
        scene: StagedScene,
        present: NDArray[np.bool_],
        in_camera: NDArray[np.bool_],
        surface: VisibleSurface,
        device: str,
    ) -> Picture:
        """Return grey (H, W): traced collection of secondary electrons, then the detector's counts."""

        from synth_renderer.blender.cycles import trace_scene
        from synth_renderer.blender.objects import show_bodies

        features = scene.technique.features
        with show_bodies(scene, self.build_environment, present, in_camera):
            traced = trace_scene(read_samples(features, SAMPLES), bounces=0, seed=scene.seed, device=device)
        sigma = SMOOTHING * read_number(features, "resolution_percentage") / 100
        collected = smooth_picture(traced.radiance[:, :, 0], surface.ids, sigma)
        return Picture(detect_electrons(collected, read_electronics(features), scene.seed), traced.device)
