"""Lower and upper surface of a posed body, seen along z on the cells of a map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Profile(NamedTuple):
    """Cell (r, c) of the arrays (h, w) is `first_row` + r and `first_column` + c cells away from the body's middle.

    bottom and top are heights above the middle, scene units, inf and -inf in cells whose centres it does not cover;
    spans (h, 2) are the first column of a row that it covers and the one after the last, 0 and 0 where there is none;
    lowest is that of its lowest vertex; volume is what the cells hold.
    """

    first_row: int
    first_column: int
    bottom: NDArray[np.float64]
    top: NDArray[np.float64]
    spans: NDArray[np.int64]
    lowest: float
    volume: float


@kernel
def profile_of(points: NDArray[np.float64], triangles: NDArray[np.int32], cell: float) -> Profile:
    """The profile of a closed mesh (V, 3) around the origin on cells of that width; one cell at least."""
    left, right = math.ceil(np.min(points[:, 0]) / cell), math.floor(np.max(points[:, 0]) / cell)
    low, high = math.ceil(np.min(points[:, 1]) / cell), math.floor(np.max(points[:, 1]) / cell)
    left, low = min(int(left), 0), min(int(low), 0)
    right, high = max(int(right), 0), max(int(high), 0)
    bottom = np.full((high - low + 1, right - left + 1), np.inf)
    top = np.full((high - low + 1, right - left + 1), -np.inf)
    bottom[-low, -left], top[-low, -left] = np.min(points[:, 2]), np.max(points[:, 2])
    for t in range(len(triangles)):
        _enter(points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]], cell, low, left, bottom, top)
    volume, spans = 0.0, np.zeros((bottom.shape[0], 2), dtype=np.int64)
    for row in range(bottom.shape[0]):
        for column in range(bottom.shape[1]):
            volume += max(top[row, column] - bottom[row, column], 0.0) * cell * cell
            if top[row, column] >= bottom[row, column]:
                spans[row, 0] = column if spans[row, 1] == 0 else spans[row, 0]
                spans[row, 1] = column + 1
    return Profile(low, left, bottom, top, spans, float(np.min(points[:, 2])), volume)


@kernel
def _enter(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    cell: float,
    low: int,
    left: int,
    bottom: NDArray[np.float64],
    top: NDArray[np.float64],
) -> None:
    """Widen the profile by what one triangle shows at the centres of cells, its rim included."""
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
