"""The unit sphere as a cube whose faces are grids of any fineness: what the shapes are cast on."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FINENESSES: Final = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Quads along an edge of the cube that are made; so that particles share grids."""

_STRETCH: Final = 0.78
"""Grid lines lie at t (c + (1 - c) t^2), which comes near to equal angles."""


@lru_cache(maxsize=len(FINENESSES))
def sphere_grid(segments: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Directions (6 m^2 + 2, 3), unit, and triangles (12 m^2, 3), counter-clockwise from outside; read-only.

    Only + - x / sqrt: the same bits everywhere.
    """
    corners = np.concatenate([_quads(axis, side, segments) for axis in range(3) for side in (0, segments)])
    names = (corners[..., 0] * (segments + 1) + corners[..., 1]) * (segments + 1) + corners[..., 2]
    known, index = np.unique(names.ravel(), return_inverse=True)
    quads = index.reshape(-1, 4)
    triangles = quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3).astype(np.int32)
    steps = np.stack([known // (segments + 1) ** 2, known // (segments + 1) % (segments + 1), known % (segments + 1)])
    t = steps.T * (2.0 / segments) - 1.0
    cube = t * (_STRETCH + (1.0 - _STRETCH) * t * t)
    x, y, z = cube.T
    directions = np.ascontiguousarray(cube / np.sqrt(x * x + y * y + z * z)[:, None])
    directions.flags.writeable = triangles.flags.writeable = False
    return directions, triangles


def fineness(wanted: float) -> int:
    """The coarsest of `FINENESSES` that is at least as fine as wanted, or the finest there is."""
    return next((segments for segments in FINENESSES if segments >= wanted), FINENESSES[-1])


def _quads(axis: int, side: int, segments: int) -> NDArray[np.int64]:
    """Lattice places (m^2, 4, 3) of the corners of one face's quads, counter-clockwise from outside."""
    u, v = np.meshgrid(np.arange(segments), np.arange(segments), indexing="ij")
    turns = ((0, 0), (1, 0), (1, 1), (0, 1)) if side else ((0, 0), (0, 1), (1, 1), (1, 0))
    quads = np.empty((segments * segments, 4, 3), dtype=np.int64)
    quads[..., axis] = side
    for corner, (du, dv) in enumerate(turns):
        quads[:, corner, (axis + 1) % 3] = (u + du).ravel()
        quads[:, corner, (axis + 2) % 3] = (v + dv).ravel()
    return quads
