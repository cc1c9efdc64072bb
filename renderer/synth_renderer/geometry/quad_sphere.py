"""Unit sphere as a refined cube. Arithmetic is + x / sqrt only, so it is the same on every machine."""

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
"""Corners of each face, counter-clockwise from outside."""


def build_quad_sphere(level: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return unit directions (V, 3) and triangles (T, 3) of a sphere with 8 x 2^level quads along each cube edge.

    V = 6 m^2 + 2 and T = 12 m^2 with m = 8 x 2^level; each quad is two triangles, counter-clockwise from outside.
    """
    faces = [_refine_face(np.array(corners, dtype=np.float64), level) for corners in _CORNERS.values()]
    side = faces[0].shape[0]
    corners = np.concatenate([face.reshape(-1, 3) for face in faces])
    vertices, index = np.unique(corners, axis=0, return_inverse=True)
    grids = index.reshape(len(faces), side, side)
    quads = np.stack([grids[:, :-1, :-1], grids[:, :-1, 1:], grids[:, 1:, 1:], grids[:, 1:, :-1]], axis=-1)
    triangles = quads.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    return vertices, triangles.astype(np.int32)


def _refine_face(corners: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    """Return the grid (m + 1, m + 1, 3) of unit directions of one face, m = 8 x 2^level, from its corners (4, 3)."""
    grid = _normalise(corners[[0, 1, 3, 2]].reshape(2, 2, 3))
    for _ in range(BASE_REFINEMENTS + level):
        grid = _refine_grid(grid)
    return grid


def _refine_grid(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a grid (2 m + 1, 2 m + 1, 3) of directions from one of (m + 1, m + 1, 3).

    A midpoint depends on its neighbours alone, so faces meet without a seam. Old directions keep their bits.
    """
    rows = 2 * len(grid) - 1
    fine = np.empty((rows, rows, 3))
    fine[::2, ::2] = grid
    fine[1::2, ::2] = grid[:-1] + grid[1:]
    fine[::2, 1::2] = grid[:, :-1] + grid[:, 1:]
    fine[1::2, 1::2] = (grid[:-1, :-1] + grid[1:, 1:]) + (grid[:-1, 1:] + grid[1:, :-1])
    is_old = np.zeros((rows, rows), dtype=bool)
    is_old[::2, ::2] = True
    return np.where(is_old[..., None], fine, _normalise(fine))


def _normalise(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return vectors (…, 3) of length 1."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    unit = vectors / np.sqrt(x * x + y * y + z * z)[..., None]
    return np.asarray(unit + 0.0)  # turns -0 into 0, so that equal corners have equal bytes
