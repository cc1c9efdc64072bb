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
    """Return how much farther the second nearest cell centre is than the nearest, lattice steps: 0 on cell walls."""
    nearest, second, _, _ = find_cell(key, x, y, z)
    return second - nearest


@kernel
def find_cell(
    key: np.uint64, x: float, y: float, z: float
) -> tuple[float, float, np.uint64, tuple[float, float, float]]:
    """Return the distances to the two nearest cell centres, the place of the nearest, and the way from it to the point.

    One centre in each lattice cell (S. Worley, A cellular texture basis function, SIGGRAPH 1996), in its middle 70 %.
    Draws 0 … 2 of a place are the centre's; unit: lattice steps.
    """
    low = math.floor(x), math.floor(y), math.floor(z)
    i, j, k = int(low[0]), int(low[1]), int(low[2])
    nearest, second, found, way = np.inf, np.inf, np.uint64(0), (0.0, 0.0, 0.0)
    for a in range(3):
        # From the middle cell outwards: most of the others are then too far to have one of the two nearest centres.
        p = (a + 1) % 3 - 1
        gap_x = _measure_gap(p, x - i)
        for b in range(3):
            q = (b + 1) % 3 - 1
            gap_xy = gap_x + _measure_gap(q, y - j)
            if gap_xy > second:
                continue
            for c in range(3):
                r = (c + 1) % 3 - 1
                if gap_xy + _measure_gap(r, z - k) > second:
                    continue
                place = index_lattice_point(i + p, j + q, k + r) * np.uint64(3)
                u = i + p + 0.15 + 0.7 * draw_uniform(key, place) - x
                v = j + q + 0.15 + 0.7 * draw_uniform(key, place + np.uint64(1)) - y
                w = k + r + 0.15 + 0.7 * draw_uniform(key, place + np.uint64(2)) - z
                square = u * u + v * v + w * w
                if square < nearest:
                    nearest, second = square, nearest
                    found, way = place, (-u, -v, -w)
                elif square < second:
                    second = square
    return math.sqrt(nearest), math.sqrt(second), found, way


@kernel
def _measure_gap(step: int, place: float) -> float:
    """Return the square of the least distance along an axis to a centre `step` cells on, from `place` in the cell.

    A little less than that, so that rounding never leaves a centre out.
    """
    gap = 0.1499 + place if step < 0 else 1.1499 - place
    return 0.0 if step == 0 else gap * gap
