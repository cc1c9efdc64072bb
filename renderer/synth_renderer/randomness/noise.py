"""Random fields of space from hashed lattice points: the same bits at any place, in any order."""

from __future__ import annotations

import math
from typing import Final

import numba
import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import uniform

_COLUMN: Final = np.uint64(0xD1342543DE82EF95)
_LAYER: Final = np.uint64(0xDA942042E4DD58B5)


@numba.njit(cache=True, inline="always")
def _place(i: int, j: int, k: int) -> np.uint64:
    return np.uint64(i) + np.uint64(j) * _COLUMN + np.uint64(k) * _LAYER


@numba.njit(cache=True, inline="always")
def _corner(key: np.uint64, i: int, j: int, k: int) -> float:
    return 2.0 * uniform(key, _place(i, j, k)) - 1.0


@kernel
def field(key: np.uint64, x: float, y: float, z: float) -> float:
    """Return a smooth field at a point, lattice steps; -1 … 1, rms 0.4, interpolated by 6 t^5 - 15 t^4 + 10 t^3."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    r = u * u * u * (u * (u * 6.0 - 15.0) + 10.0)
    s = v * v * v * (v * (v * 6.0 - 15.0) + 10.0)
    t = w * w * w * (w * (w * 6.0 - 15.0) + 10.0)
    i, j, k = int(i), int(j), int(k)
    a, b = _corner(key, i, j, k), _corner(key, i + 1, j, k)
    c, d = _corner(key, i, j + 1, k), _corner(key, i + 1, j + 1, k)
    low = (a + r * (b - a)) + s * ((c + r * (d - c)) - (a + r * (b - a)))
    a, b = _corner(key, i, j, k + 1), _corner(key, i + 1, j, k + 1)
    c, d = _corner(key, i, j + 1, k + 1), _corner(key, i + 1, j + 1, k + 1)
    high = (a + r * (b - a)) + s * ((c + r * (d - c)) - (a + r * (b - a)))
    return low + t * (high - low)


@kernel
def walls(key: np.uint64, x: float, y: float, z: float) -> float:
    """Return the distance to the second nearest cell centre less that to the nearest, lattice steps: 0 on cell walls.

    One centre in each lattice cell (S. Worley, A cellular texture basis function, SIGGRAPH 1996).
    """
    low = math.floor(x), math.floor(y), math.floor(z)
    i, j, k = int(low[0]), int(low[1]), int(low[2])
    nearest, second = np.inf, np.inf
    for p in range(i - 1, i + 2):
        for q in range(j - 1, j + 2):
            for r in range(k - 1, k + 2):
                place = _place(p, q, r) * np.uint64(3)
                u = p + 0.15 + 0.7 * uniform(key, place) - x
                v = q + 0.15 + 0.7 * uniform(key, place + np.uint64(1)) - y
                w = r + 0.15 + 0.7 * uniform(key, place + np.uint64(2)) - z
                square = u * u + v * v + w * w
                if square < nearest:
                    nearest, second = square, nearest
                elif square < second:
                    second = square
    return math.sqrt(second) - math.sqrt(nearest)
