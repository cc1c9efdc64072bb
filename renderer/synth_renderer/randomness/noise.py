"""Random fields of space from hashed lattice points: the same bits at any place, in any order."""

from __future__ import annotations

import math

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_lattice_value, draw_uniform, index_lattice_point


@kernel
def space_noise(key: np.uint64, x: float, y: float, z: float) -> float:
    """Return a smooth field at a point, lattice steps; -1 … 1, rms 0.4, interpolated by 6 t^5 - 15 t^4 + 10 t^3."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    r = u * u * u * (u * (u * 6.0 - 15.0) + 10.0)
    s = v * v * v * (v * (v * 6.0 - 15.0) + 10.0)
    t = w * w * w * (w * (w * 6.0 - 15.0) + 10.0)
    i, j, k = int(i), int(j), int(k)
    a, b = draw_lattice_value(key, i, j, k), draw_lattice_value(key, i + 1, j, k)
    c, d = draw_lattice_value(key, i, j + 1, k), draw_lattice_value(key, i + 1, j + 1, k)
    low = (a + r * (b - a)) + s * ((c + r * (d - c)) - (a + r * (b - a)))
    a, b = draw_lattice_value(key, i, j, k + 1), draw_lattice_value(key, i + 1, j, k + 1)
    c, d = draw_lattice_value(key, i, j + 1, k + 1), draw_lattice_value(key, i + 1, j + 1, k + 1)
    high = (a + r * (b - a)) + s * ((c + r * (d - c)) - (a + r * (b - a)))
    return low + t * (high - low)


@kernel
def wall_distance(key: np.uint64, x: float, y: float, z: float) -> float:
    """Return the distance to the second nearest cell centre less that to the nearest, lattice steps: 0 on cell walls.

    One centre in each lattice cell (S. Worley, A cellular texture basis function, SIGGRAPH 1996).
    """
    low = math.floor(x), math.floor(y), math.floor(z)
    i, j, k = int(low[0]), int(low[1]), int(low[2])
    nearest, second = np.inf, np.inf
    for p in range(i - 1, i + 2):
        for q in range(j - 1, j + 2):
            for r in range(k - 1, k + 2):
                place = index_lattice_point(p, q, r) * np.uint64(3)
                u = p + 0.15 + 0.7 * draw_uniform(key, place) - x
                v = q + 0.15 + 0.7 * draw_uniform(key, place + np.uint64(1)) - y
                w = r + 0.15 + 0.7 * draw_uniform(key, place + np.uint64(2)) - z
                square = u * u + v * v + w * w
                if square < nearest:
                    nearest, second = square, nearest
                elif square < second:
                    second = square
    return math.sqrt(second) - math.sqrt(nearest)
