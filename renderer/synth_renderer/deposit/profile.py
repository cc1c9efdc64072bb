"""Profile of a body: its lower and upper surface along z on the cells of a map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Profile(NamedTuple):
    """Surfaces on (h, w) cells; heights above the body's middle in scene units."""

    first_row: int
    """Row of bottom[0, 0], counted from the row of the middle."""
    first_column: int
    """Column of bottom[0, 0], counted from the column of the middle."""
    bottom: NDArray[np.float64]
    """Height of the lower surface (h, w); inf in cells with uncovered centres."""
    top: NDArray[np.float64]
    """Height of the upper surface (h, w); -inf in cells with uncovered centres."""
    spans: NDArray[np.int64]
    """First covered column of each row and the column after the last one (h, 2); 0 and 0 where there is none."""
    lowest: float
    """Height of the lowest vertex."""
    volume: float
    """Sum over the cells of (top - bottom), cubed scene units."""


@kernel
def build_profile(points: NDArray[np.float64], triangles: NDArray[np.int32], cell: float) -> Profile:
    """Return the profile of a closed mesh around the origin on cells of width `cell`, scene units; at least one cell.

    points (V, 3), triangles (T, 3).
    """
    left, right = math.ceil(np.min(points[:, 0]) / cell), math.floor(np.max(points[:, 0]) / cell)
    low, high = math.ceil(np.min(points[:, 1]) / cell), math.floor(np.max(points[:, 1]) / cell)
    left, low = min(int(left), 0), min(int(low), 0)
    right, high = max(int(right), 0), max(int(high), 0)
    bottom = np.full((high - low + 1, right - left + 1), np.inf)
    top = np.full((high - low + 1, right - left + 1), -np.inf)
    bottom[-low, -left], top[-low, -left] = np.min(points[:, 2]), np.max(points[:, 2])
    for t in range(len(triangles)):
        _add_triangle(
            points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]], cell, low, left, bottom, top
        )
    volume, spans = 0.0, np.zeros((bottom.shape[0], 2), dtype=np.int64)
    for row in range(bottom.shape[0]):
        for column in range(bottom.shape[1]):
            volume += max(top[row, column] - bottom[row, column], 0.0) * cell * cell
            if top[row, column] >= bottom[row, column]:
                spans[row, 0] = column if spans[row, 1] == 0 else spans[row, 0]
                spans[row, 1] = column + 1
    return Profile(low, left, bottom, top, spans, float(np.min(points[:, 2])), volume)


def count_cells(profile: Profile) -> int:
    """Return the number of cells that a body covers."""
    return int(np.count_nonzero(profile.top >= profile.bottom))


@kernel
def _add_triangle(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    cell: float,
    low: int,
    left: int,
    bottom: NDArray[np.float64],
    top: NDArray[np.float64],
) -> None:
    """Extend bottom and top in place by the triangle a, b, c (3,) each, at the centres of the cells that it covers.

    Centres on its rim count. u, v, w are barycentric coordinates.
    """
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area == 0.0:
        return
    for i in range(math.ceil(min(a[1], b[1], c[1]) / cell), math.floor(max(a[1], b[1], c[1]) / cell) + 1):
        for j in range(math.ceil(min(a[0], b[0], c[0]) / cell), math.floor(max(a[0], b[0], c[0]) / cell) + 1):
            x, y = j * cell, i * cell
            u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
            v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
            w = 1.0 - u - v
            if u >= 0.0 and v >= 0.0 and w >= 0.0:
                z = u * a[2] + v * b[2] + w * c[2]
                row, column = int(i) - low, int(j) - left
                bottom[row, column] = min(bottom[row, column], z)
                top[row, column] = max(top[row, column], z)
