"""Feret (calliper) diameters of pixel silhouettes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def measure_feret_diameters(start: NDArray[np.int64], pixel: NDArray[np.int32], width: int) -> NDArray[np.float64]:
    """Return the smallest and the largest Feret diameter (N, 2) of each body's pixels, px; NaN for a body without any.

    Body n owns pixel[start[n]:start[n + 1]], flat indices row x width + column in ascending order. The callipers touch
    the convex hull of the pixels' corners, so a single pixel measures 1 and sqrt 2. The largest diameter is the largest
    distance of two corners; at the smallest one side of the hull lies flush with a jaw (M. I. Shamos, Computational
    Geometry, 1978; M. E. Houle and G. T. Toussaint, IEEE PAMI 10 (1988) 761).
    """
    diameters = np.full((len(start) - 1, 2), np.nan)
    for body in range(len(start) - 1):
        if start[body + 1] > start[body]:
            hull = _find_convex_hull(pixel[start[body] : start[body + 1]], width)
            diameters[body] = _measure_smallest(hull), _measure_largest(hull)
    return diameters


@kernel
def _find_convex_hull(pixel: NDArray[np.int32], width: int) -> NDArray[np.float64]:
    """Return the convex hull (K, 2) of the pixels' corners, column and row, by monotone chains (A. M. Andrew, 1979)."""
    corners = _list_outer_corners(pixel, width)
    hull, used = np.empty((2 * len(corners) + 2, 2)), 0
    for chain in range(2):
        first = used
        for n in range(len(corners)):
            point = corners[n] if chain == 0 else corners[len(corners) - 1 - n]
            while used >= first + 2 and _compute_turn(hull[used - 2], hull[used - 1], point) <= 0.0:
                used -= 1
            hull[used] = point
            used += 1
        used -= 1
    return hull[:used]


@kernel
def _list_outer_corners(pixel: NDArray[np.int32], width: int) -> NDArray[np.float64]:
    """Return the corners (K, 2), column and row, of the first and last pixel of each row, by row, then column."""
    top, bottom = pixel[0] // width, pixel[-1] // width
    left, right = np.full(bottom - top + 2, np.inf), np.full(bottom - top + 2, -np.inf)
    for p in pixel:
        row, column = p // width - top, p % width
        for line in (row, row + 1):
            left[line], right[line] = min(left[line], column), max(right[line], column + 1)
    corners, used = np.empty((2 * len(left), 2)), 0
    for line in range(len(left)):
        if left[line] < right[line]:
            corners[used, 0], corners[used + 1, 0] = left[line], right[line]
            corners[used : used + 2, 1] = top + line
            used += 2
    return corners[:used]


@kernel
def _compute_turn(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    """Return twice the signed area of (a, b, c), px^2; its sign is the direction in which the chain turns."""
    return float((b[1] - a[1]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[1] - a[1]))


@kernel
def _measure_largest(hull: NDArray[np.float64]) -> float:
    """Return the largest distance of two corners of a hull (K, 2), px."""
    largest = 0.0
    for a in hull:
        for b in hull:
            largest = max(largest, (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]))
    return math.sqrt(largest)


@kernel
def _measure_smallest(hull: NDArray[np.float64]) -> float:
    """Return the smallest width of a hull (K, 2), px: over its sides, the distance of the farthest corner."""
    smallest = np.inf
    for n in range(len(hull)):
        a, b = hull[n], hull[(n + 1) % len(hull)]
        farthest = 0.0
        for point in hull:
            farthest = max(farthest, abs(_compute_turn(a, b, point)))
        smallest = min(smallest, farthest / math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2))
    return float(smallest)
