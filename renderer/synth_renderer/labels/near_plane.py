"""Clipping at the near plane, for bodies around the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def clip_at_near_plane(
    points: NDArray[np.float64], normals: NDArray[np.float64], triangles: NDArray[np.int32], near: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
    """Return points, normals and triangles of the part of a mesh at depth >= near; new vertices lie on the plane.

    points (V, 3), camera frame, scene units: depth is -z; normals (V, 3); triangles (T, 3). A triangle that the plane
    cuts becomes one or two (Sutherland & Hodgman, Comm. ACM 17 (1974) 32). Normals are interpolated without
    normalising. Triangles share no vertices any more.
    """
    new_points = np.empty((6 * len(triangles), 3))
    new_normals = np.empty_like(new_points)
    new_triangles = np.empty((2 * len(triangles), 3), dtype=np.int32)
    corners, faces = 0, 0
    for triangle in triangles:
        first = corners
        for k in range(3):
            here, after = triangle[k], triangle[(k + 1) % 3]
            margin_here, margin_after = -points[here, 2] - near, -points[after, 2] - near
            if margin_here >= 0:
                new_points[corners], new_normals[corners] = points[here], normals[here]
                corners += 1
            if (margin_here >= 0) != (margin_after >= 0):
                t = margin_here / (margin_here - margin_after)
                new_points[corners] = points[here] + t * (points[after] - points[here])
                new_points[corners, 2] = -near
                new_normals[corners] = normals[here] + t * (normals[after] - normals[here])
                corners += 1
        for k in range(first + 1, corners - 1):
            new_triangles[faces] = first, k, k + 1
            faces += 1
    return new_points[:corners], new_normals[:corners], new_triangles[:faces]
