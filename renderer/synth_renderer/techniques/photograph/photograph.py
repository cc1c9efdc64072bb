"""A photograph: perspective camera and a point lamp over a 2 x 2 x 2 volume, traced by Cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.model.camera import Camera
from synth_renderer.model.staged_scene import Box
from synth_renderer.techniques.base.feature_values import read_resolution, read_samples
from synth_renderer.techniques.base.technique import Picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.blender import bpy
    from synth_renderer.labels.fragments import VisibleSurface
    from synth_renderer.model.staged_scene import StagedScene, StagedTechnique

LOCATION: Final = (7.3589, -6.9258, 4.9583)
"""Camera location in Blender's start-up file, scene units."""

QUATERNION: Final = (0.7805, 0.4835, 0.2087, 0.3369)
"""Its direction, w x y z: towards the origin."""

SAMPLES: Final = 16
BOUNCES: Final = 2


class Photograph:
    """50 mm lens on a 36 mm sensor; nothing holds the particles."""

    def build_camera(self, features: Mapping[str, FeatureValue]) -> Camera:
        """Return the camera of Blender's start-up file, above and to one side."""
        width, height = read_resolution(features)
        return Camera(width, height, LOCATION, _normalise(QUATERNION))

    def build_volume(self, features: Mapping[str, FeatureValue]) -> Box:  # noqa: ARG002
        """Return the cube of edge 2 around the origin."""
        return Box((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))

    def has_walls(self) -> bool:
        """Return False: particles can leave the volume."""
        return False

    def find_overlay_pixels(self, technique: StagedTechnique, seed: int) -> None:
        """Return None: the picture has no overlay."""

    def build_environment(self, scene: bpy.types.Scene, technique: StagedTechnique) -> None:
        """Add measurement volume, point lamp and grey world."""
        from synth_renderer.techniques.photograph.lamp_environment import build_environment

        build_environment(scene, technique)

    def make_picture(
        self,
        scene: StagedScene,
        present: NDArray[np.bool_],
        in_camera: NDArray[np.bool_],
        surface: VisibleSurface,  # noqa: ARG002
        device: str,
    ) -> Picture:
        """Return sRGB (H, W, 3), traced by Cycles."""
        from synth_renderer.blender.cycles import trace_scene
        from synth_renderer.blender.objects import show_bodies

        with show_bodies(scene, self.build_environment, present, in_camera):
            traced = trace_scene(read_samples(scene.technique.features, SAMPLES), BOUNCES, scene.seed, device)
        return Picture(np.rint(255.0 * encode_srgb(traced.radiance)).astype(np.uint8), traced.device)


def encode_srgb(linear: NDArray[np.float32]) -> NDArray[np.float64]:
    """IEC 61966-2-1 encoding of scene-linear values, any shape, clipped to 0 … 1."""
    clipped = np.clip(linear.astype(np.float64), 0.0, 1.0)
    return np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)


def _normalise(quaternion: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    w, x, y, z = (np.array(quaternion) / np.linalg.norm(quaternion)).tolist()
    return w, x, y, z
