"""Feret diameters of pixel silhouettes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def feret_diameters(start: NDArray[np.int64], pixel: NDArray[np.int32], width: int) -> NDArray[np.float64]:
    """Smallest and largest Feret diameter (N, 2), pixels, of each body's pixels; NaN for a body without any.

    The calipers touch the convex hull of the pixels' corners, so a single pixel measures 1 and sqrt 2. The largest is
    the largest distance of two corners, the smallest lies with one side of the hull flush to a jaw (M. I. Shamos,
    Computational Geometry, 1978; M. E. Houle and G. T. Toussaint, IEEE PAMI 10 (1988) 761).
    """
    diameters = np.full((len(start) - 1, 2), np.nan)
    for body in range(len(start) - 1):
        if start[body + 1] > start[body]:
            hull = _hull(pixel[start[body] : start[body + 1]], width)
            diameters[body] = _smallest(hull), _largest(hull)
    return diameters


@kernel
def _hull(pixel: NDArray[np.int32], width: int) -> NDArray[np.float64]:
    """Convex hull (K, 2) of the pixels' corners, column and row: monotone chain (A. M. Andrew, 1979)."""
    corners = _outer_corners(pixel, width)
    hull, used = np.empty((2 * len(corners) + 2, 2)), 0
    for chain in range(2):
        first = used
        for n in range(len(corners)):
            point = corners[n] if chain == 0 else corners[len(corners) - 1 - n]
            while used >= first + 2 and _turn(hull[used - 2], hull[used - 1], point) <= 0.0:
                used -= 1
            hull[used] = point
            used += 1
        used -= 1
    return hull[:used]


@kernel
def _outer_corners(pixel: NDArray[np.int32], width: int) -> NDArray[np.float64]:
    """Corners (K, 2) of the first and last pixel of every row, sorted by row, then column."""
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
def _turn(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    """Twice the area of (a, b, c) with row before column; the sign says which way the chain turns."""
    return float((b[1] - a[1]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[1] - a[1]))


@kernel
def _largest(hull: NDArray[np.float64]) -> float:
    largest = 0.0
    for a in hull:
        for b in hull:
            largest = max(largest, (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]))
    return math.sqrt(largest)


@kernel
def _smallest(hull: NDArray[np.float64]) -> float:
    smallest = np.inf
    for n in range(len(hull)):
        a, b = hull[n], hull[(n + 1) % len(hull)]
        farthest = 0.0
        for point in hull:
            farthest = max(farthest, abs(_turn(a, b, point)))
        smallest = min(smallest, farthest / math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2))
    return float(smallest)
