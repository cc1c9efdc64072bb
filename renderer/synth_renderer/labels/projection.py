"""Projection from world to picture as `Camera` defines it; labels use the camera only here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.model.transforms import rotation_matrix, transform_points
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.camera import Camera


def build_view_matrix(camera: Camera) -> NDArray[np.float64]:
    """Return the rotation (3, 3) from world to camera frame."""
    return np.ascontiguousarray(rotation_matrix(np.array(camera.quaternion)).T)


def to_camera_frame(points: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Return world points (V, 3) in the camera frame, scene units."""
    return transform_points(points - np.array(camera.location), build_view_matrix(camera), np.zeros(3))


def project_points(points: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Return column, row (pixels) and nearness (V, 3) of camera-frame points (V, 3), scene units.

    Nearness grows towards the viewer and is linear over the picture: -depth (orthographic) or 1 / depth (perspective).
    """
    longer_side = float(max(camera.width, camera.height))
    if camera.ortho_scale is not None:
        return _project_orthographic(points, camera.width / 2, camera.height / 2, longer_side / camera.ortho_scale)
    scale = longer_side * camera.focal_length / camera.sensor_width
    return _project_perspective(points, camera.width / 2, camera.height / 2, scale)


@kernel
def _project_orthographic(points: NDArray[np.float64], column: float, row: float, scale: float) -> NDArray[np.float64]:
    """Project parallel to the axis; (column, row) of the axis in px, `scale` in px per scene unit."""
    image = np.empty_like(points)
    for n in range(len(points)):
        image[n] = column + points[n, 0] * scale, row - points[n, 1] * scale, points[n, 2]
    return image


@kernel
def _project_perspective(points: NDArray[np.float64], column: float, row: float, scale: float) -> NDArray[np.float64]:
    """Project through the camera's centre; (column, row) of the axis in px, `scale` in px at a slope of 1."""
    image = np.empty_like(points)
    for n in range(len(points)):
        nearness = -1.0 / points[n, 2]
        image[n] = column + points[n, 0] * nearness * scale, row - points[n, 1] * nearness * scale, nearness
    return image
