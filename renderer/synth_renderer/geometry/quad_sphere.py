"""The unit sphere as a refined cube. Arithmetic is + x / sqrt only, so it is the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BASE_REFINEMENTS = 3
"""Level 0 has 2^3 x 2^3 quads on each face of the cube."""

_CORNERS = {
    "right": ((1, -1, -1), (1, 1, -1), (1, 1, 1), (1, -1, 1)),
    "left": ((-1, 1, -1), (-1, -1, -1), (-1, -1, 1), (-1, 1, 1)),
    "back": ((1, 1, -1), (-1, 1, -1), (-1, 1, 1), (1, 1, 1)),
    "front": ((-1, -1, -1), (1, -1, -1), (1, -1, 1), (-1, -1, 1)),
    "top": ((-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)),
    "bottom": ((-1, 1, -1), (1, 1, -1), (1, -1, -1), (-1, -1, -1)),
}
"""Each face's corners, counter-clockwise seen from outside."""


def quad_sphere(level: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Directions (V, 3), unit, and triangles (T, 3) of a sphere with 8 x 2^level quads along each cube edge.

    V = 6 m^2 + 2 and T = 12 m^2 with m = 8 x 2^level; each quad is two triangles, counter-clockwise from outside.
    """
    faces = [_refined_face(np.array(corners, dtype=np.float64), level) for corners in _CORNERS.values()]
    side = faces[0].shape[0]
    corners = np.concatenate([face.reshape(-1, 3) for face in faces])
    vertices, index = np.unique(corners, axis=0, return_inverse=True)
    grids = index.reshape(len(faces), side, side)
    quads = np.stack([grids[:, :-1, :-1], grids[:, :-1, 1:], grids[:, 1:, 1:], grids[:, 1:, :-1]], axis=-1)
    triangles = quads.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    return vertices, triangles.astype(np.int32)


def _refined_face(corners: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    grid = _normalised(corners[[0, 1, 3, 2]].reshape(2, 2, 3))
    for _ in range(BASE_REFINEMENTS + level):
        grid = _refined(grid)
    return grid


def _refined(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Double a grid of directions; a midpoint depends on its neighbours alone, so faces meet without a seam."""
    rows = 2 * len(grid) - 1
    fine = np.empty((rows, rows, 3))
    fine[::2, ::2] = grid
    fine[1::2, ::2] = grid[:-1] + grid[1:]
    fine[::2, 1::2] = grid[:, :-1] + grid[:, 1:]
    fine[1::2, 1::2] = (grid[:-1, :-1] + grid[1:, 1:]) + (grid[:-1, 1:] + grid[1:, :-1])
    old = np.zeros((rows, rows), dtype=bool)
    old[::2, ::2] = True
    return np.where(old[..., None], fine, _normalised(fine))


def _normalised(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    unit = vectors / np.sqrt(x * x + y * y + z * z)[..., None]
    return np.asarray(unit + 0.0)  # turns -0 into 0, so that equal corners have equal bytes
