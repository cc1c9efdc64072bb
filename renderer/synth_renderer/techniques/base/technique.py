"""The interface of a measurement technique."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.blender import bpy
    from synth_renderer.labels.fragments import VisibleSurface
    from synth_renderer.model.camera import Camera
    from synth_renderer.model.staged_scene import Box, StagedScene, StagedTechnique


@dataclass(frozen=True)
class Picture:
    """Real image, pixels (H, W) grey or (H, W, 3) sRGB, uint8, and the device that made it (`cpu`, `optix`, …)."""

    pixels: NDArray[np.uint8]
    device: str


class Technique(Protocol):
    """A measurement technique prototype."""

    def build_camera(self, features: Mapping[str, FeatureValue]) -> Camera:
        """Return the camera for the technique's feature values."""

    def build_volume(self, features: Mapping[str, FeatureValue]) -> Box:
        """Return the measurement volume, in which particles are placed."""

    def has_walls(self) -> bool:
        """Return True if the measurement volume is a closed container for the physics: walls, floor and lid."""

    def find_overlay_pixels(self, technique: StagedTechnique, seed: int) -> NDArray[np.bool_] | None:
        """Return the pixels (H, W) under overlays of the real image, background in every label; None without any."""

    def build_environment(self, scene: bpy.types.Scene, technique: StagedTechnique) -> None:
        """Add light, substrate and measurement volume to the open Blender scene, which has camera and particles."""

    def make_picture(
        self,
        scene: StagedScene,
        present: NDArray[np.bool_],
        in_camera: NDArray[np.bool_],
        surface: VisibleSurface,
        device: str,
    ) -> Picture:
        """Return the real image. present (N,): bodies in the scene; in_camera (N,): those that are not only shadows.

        `surface` is the label pass over the bodies in camera. `device` is one of `auto gpu cpu optix cuda hip oneapi`;
        raises DeviceUnavailableError if the machine lacks it, DeviceFailedError and GpuMemoryError.
        """
