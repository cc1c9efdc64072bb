"""From world to picture, as Camera defines it: the one place where labels use the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.model.transforms import rotation_matrix, transformed
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.camera import Camera


def view_matrix(camera: Camera) -> NDArray[np.float64]:
    """Rotation (3, 3) from world to camera frame."""
    return np.ascontiguousarray(rotation_matrix(np.array(camera.quaternion)).T)


def in_camera_frame(points: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """World points (V, 3) in the camera frame, scene units."""
    return transformed(points - np.array(camera.location), view_matrix(camera), np.zeros(3))


def projected(points: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Column, row (pixels) and nearness of camera-frame points (V, 3).

    Nearness grows towards the viewer and is linear over the picture: -depth (orthographic) or 1 / depth (perspective).
    """
    longer_side = float(max(camera.width, camera.height))
    if camera.ortho_scale is not None:
        return _orthographic(points, camera.width / 2, camera.height / 2, longer_side / camera.ortho_scale)
    scale = longer_side * camera.focal_length / camera.sensor_width
    return _perspective(points, camera.width / 2, camera.height / 2, scale)


@kernel
def _orthographic(points: NDArray[np.float64], column: float, row: float, scale: float) -> NDArray[np.float64]:
    image = np.empty_like(points)
    for n in range(len(points)):
        image[n] = column + points[n, 0] * scale, row - points[n, 1] * scale, points[n, 2]
    return image


@kernel
def _perspective(points: NDArray[np.float64], column: float, row: float, scale: float) -> NDArray[np.float64]:
    image = np.empty_like(points)
    for n in range(len(points)):
        nearness = -1.0 / points[n, 2]
        image[n] = column + points[n, 0] * nearness * scale, row - points[n, 1] * nearness * scale, nearness
    return image
