"""The small interface behind which a picture is made, whoever traces or shades it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from synth_api.prototypes import FeatureValue
    from synth_renderer.blender import bpy
    from synth_renderer.labels.fragments import VisibleSurface
    from synth_renderer.model.camera import Camera
    from synth_renderer.model.staged_scene import Box, StagedScene, StagedTechnique


@dataclass(frozen=True)
class Picture:
    """The real image, pixels (H, W) or (H, W, 3) uint8, and the device word that made it (`cpu`, `optix`, …)."""

    pixels: NDArray[np.uint8]
    device: str


class Technique(Protocol):
    """A measurement technique prototype."""

    def camera(self, features: Mapping[str, FeatureValue]) -> Camera:
        """The camera, from the technique's feature values alone."""

    def volume(self, features: Mapping[str, FeatureValue]) -> Box:
        """The measurement volume; particles are placed in it."""

    def has_walls(self) -> bool:
        """Whether the measurement volume is a closed container for the physics (walls, floor and lid)."""

    def covered(self, technique: StagedTechnique, seed: int) -> NDArray[np.bool_] | None:
        """Pixels (H, W) under what is written over the real image: background in every label. None: nothing is."""

    def build_environment(self, scene: bpy.types.Scene, technique: StagedTechnique) -> None:
        """Add light, substrate and measurement volume to the open Blender scene, which has camera and particles."""

    def picture(
        self,
        scene: StagedScene,
        present: NDArray[np.bool_],
        in_camera: NDArray[np.bool_],
        surface: VisibleSurface,
        device: str,
    ) -> Picture:
        """The real image. present (N,): bodies in the scene; in_camera (N,): those the camera sees; others only shadow.

        `surface` is the label pass over the bodies in camera. `device` is one of `auto gpu cpu optix cuda hip oneapi`;
        raises `DeviceUnavailableError` when it asks for one that is not there.
        """
