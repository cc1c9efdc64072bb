"""Unit sphere as a cube with grids of any fineness on its faces; shapes are cast on it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FINENESSES: Final = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Numbers of quads along an edge of the cube; there are few, so that particles share grids."""

_STRETCH: Final = 0.78
"""c: grid lines lie at t (c + (1 - c) t^2), t = -1 … 1, which is close to equal angles."""


@lru_cache(maxsize=len(FINENESSES))
def build_sphere_grid(segments: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return unit directions (6 m^2 + 2, 3) and triangles (12 m^2, 3), counter-clockwise from outside; read-only.

    m = `segments`. Only + - x / sqrt: the same bits everywhere.
    """
    corners = np.concatenate([_build_quads(axis, side, segments) for axis in range(3) for side in (0, segments)])
    numbers = (corners[..., 0] * (segments + 1) + corners[..., 1]) * (segments + 1) + corners[..., 2]
    vertices, index = np.unique(numbers.ravel(), return_inverse=True)
    quads = index.reshape(-1, 4)
    triangles = quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3).astype(np.int32)
    steps = np.stack(
        [vertices // (segments + 1) ** 2, vertices // (segments + 1) % (segments + 1), vertices % (segments + 1)]
    )
    t = steps.T * (2.0 / segments) - 1.0
    cube = t * (_STRETCH + (1.0 - _STRETCH) * t * t)
    x, y, z = cube.T
    directions = np.ascontiguousarray(cube / np.sqrt(x * x + y * y + z * z)[:, None])
    directions.flags.writeable = triangles.flags.writeable = False
    return directions, triangles


def choose_fineness(min_segments: float) -> int:
    """Return the coarsest of `FINENESSES` that is at least `min_segments`, or the finest of all."""
    return next((segments for segments in FINENESSES if segments >= min_segments), FINENESSES[-1])


def _build_quads(axis: int, side: int, segments: int) -> NDArray[np.int64]:
    """Return lattice places (m^2, 4, 3) of the corners of one face's quads, counter-clockwise from outside.

    `axis` is the face's normal, `side` its place along it, 0 or `segments`.
    """
    u, v = np.meshgrid(np.arange(segments), np.arange(segments), indexing="ij")
    turns = ((0, 0), (1, 0), (1, 1), (0, 1)) if side else ((0, 0), (0, 1), (1, 1), (1, 0))
    quads = np.empty((segments * segments, 4, 3), dtype=np.int64)
    quads[..., axis] = side
    for corner, (du, dv) in enumerate(turns):
        quads[:, corner, (axis + 1) % 3] = (u + du).ravel()
        quads[:, corner, (axis + 2) % 3] = (v + dv).ravel()
    return quads
