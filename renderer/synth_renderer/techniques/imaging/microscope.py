"""A microscope whose picture a signal model computes: view, overlays and digitiser."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.model.camera import Camera
from synth_renderer.randomness.streams import Stream
from synth_renderer.techniques.base.feature_values import read_number, read_resolution
from synth_renderer.techniques.base.microscope_view import COLUMN_HEIGHT, compute_view, compute_volume
from synth_renderer.techniques.base.technique import Picture
from synth_renderer.techniques.imaging.arrows import draw_arrows
from synth_renderer.techniques.imaging.canvas import shade_strokes
from synth_renderer.techniques.imaging.overlays import draw_overlay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.blender import bpy
    from synth_renderer.labels.fragments import VisibleSurface
    from synth_renderer.model.staged_scene import Box, StagedScene, StagedTechnique
    from synth_renderer.techniques.imaging.overlays import Overlay

CLEARANCE: Final = 2.0
"""Height of the camera over the longer side of its view: bodies as large as the view have room below it."""


class SignalMicroscope(ABC):
    """Orthographic view of 10 pixels per scene unit; the measurement volume is the traced instrument's."""

    @abstractmethod
    def record_signal(
        self, scene: StagedScene, present: NDArray[np.bool_], in_camera: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Return the picture (H, W), 0 … 1, of the bodies `in_camera` (N,) among those `present` (N,)."""

    @abstractmethod
    def write_conditions(self, draws: Sequence[float]) -> tuple[str, ...]:
        """Return the conditions in an info bar, of four numbers in [0, 1)."""

    def build_camera(self, features: Mapping[str, FeatureValue]) -> Camera:
        """Straight down; the percentage changes the sampling, not the view."""
        width, height = read_resolution(features)
        view = max(compute_view(features))
        return Camera(width, height, (0.0, 0.0, max(COLUMN_HEIGHT, CLEARANCE * view)), ortho_scale=view)

    def build_volume(self, features: Mapping[str, FeatureValue]) -> Box:
        """Centred on the axis, on the substrate."""
        return compute_volume(features)

    def has_walls(self) -> bool:
        """Return True: particles settle inside the volume."""
        return True

    def find_overlay_pixels(self, technique: StagedTechnique, seed: int) -> NDArray[np.bool_] | None:
        """Return the pixels (H, W) under info bar, boxes and inset; None without any."""
        written = self._draw_overlay(technique, seed)
        return None if written is None else written.find_covered_pixels()

    def build_environment(self, scene: bpy.types.Scene, technique: StagedTechnique) -> None:
        """Add measurement volume, substrate and white world, for state files only."""
        from synth_renderer.techniques.imaging.white_environment import build_environment

        build_environment(scene, technique)

    def make_picture(
        self,
        scene: StagedScene,
        present: NDArray[np.bool_],
        in_camera: NDArray[np.bool_],
        surface: VisibleSurface,
        device: str,  # noqa: ARG002
    ) -> Picture:
        """Return grey (H, W), computed on the CPU with the same bits on every processor."""
        grey = self.record_signal(scene, present, in_camera)
        written = self._draw_overlay(scene.technique, scene.seed)
        if written is not None:
            written.draw_on(grey)
        features = scene.technique.features
        stream = self._create_stream(scene.technique, scene.seed, "arrows")
        arrows = draw_arrows(features, surface.ids, None if written is None else written.find_covered_pixels(), stream)
        if arrows is not None:
            shade_strokes(grey, arrows, read_number(features, "overlay_shade"))
        return Picture(np.floor(255.0 * grey + np.float32(0.5)).astype(np.uint8), "cpu")

    def _draw_overlay(self, technique: StagedTechnique, seed: int) -> Overlay | None:
        camera = technique.camera
        assert camera.pixel_size is not None
        shape = (camera.height, camera.width)
        create_stream = partial(self._create_stream, technique, seed)
        return draw_overlay(technique.features, shape, camera.pixel_size, create_stream, self.write_conditions)

    def _create_stream(self, technique: StagedTechnique, seed: int, feature: str) -> Stream:
        return Stream(seed, technique.prototype, technique.name, feature)
