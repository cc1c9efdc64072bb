"""Height map of the bodies on the substrate, and the share of the picture that they cover."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.deposit.profile import Profile

CELLS_PER_SIDE: Final = 512
"""Cells of the map across the longer side of the picture."""


class Landscape(NamedTuple):
    """Map of the picture and a margin around it; the middle of the picture is the origin of x and y.

    `has_conflict` runs thousands of times for each body put down; with `filled` most rows take one difference of two
    counts. Rows are next to each other in memory because a body asks all its rows at about the same column.
    """

    height: NDArray[np.float64]
    """Heights above the substrate (H, W), scene units; 0 where nothing lies."""
    underside: NDArray[np.float64]
    """Heights of the lowest lower surfaces (H, W), scene units; inf where nothing lies."""
    filled: NDArray[np.int32]
    """Number of the cells of a row, before each column, where a body lies, (W + 1, H)."""
    margin: int
    """Rows and columns around the picture on each side."""
    cell: float
    """Width of a cell, scene units."""


def create_landscape(view: tuple[float, float], reach: float) -> Landscape:
    """Return an empty map of a picture of width and height `view` and of `reach` around it, scene units."""
    cell = max(view) / CELLS_PER_SIDE
    margin = math.ceil(reach / cell) + 2
    columns, rows = (round(extent / cell) for extent in view)
    height = np.zeros((rows + 2 * margin, columns + 2 * margin))
    filled = np.zeros((height.shape[1] + 1, height.shape[0]), dtype=np.int32)
    return Landscape(height, np.full(height.shape, np.inf), filled, margin, cell)


@kernel
def find_row(land: Landscape, y: float) -> int:
    """Return the row of the map at y, scene units; rows grow with y."""
    return math.floor(y / land.cell + 0.5 * land.height.shape[0])


@kernel
def find_column(land: Landscape, x: float) -> int:
    """Return the column of the map at x, scene units."""
    return math.floor(x / land.cell + 0.5 * land.height.shape[1])


@kernel
def find_middle(land: Landscape, row: int, column: int) -> tuple[float, float]:
    """Return x and y of the middle of a cell, scene units."""
    x, y = column + 0.5 - 0.5 * land.height.shape[1], row + 0.5 - 0.5 * land.height.shape[0]
    return x * land.cell, y * land.cell


@kernel
def find_resting_height(land: Landscape, profile: Profile, x: float, y: float) -> float:
    """Return the height of a body's middle at which it touches the surface below it at (x, y); scene units.

    Beyond the map there is nothing but the substrate.
    """
    first_row, first_column = find_row(land, y) + profile.first_row, find_column(land, x) + profile.first_column
    rows, columns = profile.bottom.shape
    z = -profile.lowest
    for row in range(max(0, -first_row), min(rows, land.height.shape[0] - first_row)):
        for column in range(max(0, -first_column), min(columns, land.height.shape[1] - first_column)):
            # An empty cell is the substrate, on which the lowest vertex rests.
            ground = land.height[first_row + row, first_column + column]
            if ground > 0.0:
                z = max(z, ground - profile.bottom[row, column])
    return z


@kernel
def find_ground(land: Landscape, nodes: NDArray[np.float64], reaches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest height (K,) within `reaches` (K,) and a cell of each node (K, 2), x and y; scene units."""
    heights = np.zeros(len(nodes))
    for k in range(len(nodes)):
        row, column = find_row(land, nodes[k, 1]), find_column(land, nodes[k, 0])
        reach = reaches[k] / land.cell + 1.0
        span = math.ceil(reach)
        for i in range(max(0, row - span), min(land.height.shape[0], row + span + 1)):
            for j in range(max(0, column - span), min(land.height.shape[1], column + span + 1)):
                if (i - row) ** 2 + (j - column) ** 2 <= reach * reach:
                    heights[k] = max(heights[k], land.height[i, j])
    return heights


@kernel
def has_conflict(land: Landscape, profile: Profile, x: float, y: float, spare_rim: bool) -> bool:
    """Return True if a body at (x, y) covers cells where another lies; `spare_rim` leaves its outermost cells out."""
    first_row, first_column = find_row(land, y) + profile.first_row, find_column(land, x) + profile.first_column
    rows, columns = profile.bottom.shape
    left, right = max(0, -first_column), min(columns, land.height.shape[1] - first_column)
    for row in range(max(0, -first_row), min(rows, land.height.shape[0] - first_row)):
        begin, end = max(left, profile.spans[row, 0]), min(right, profile.spans[row, 1])
        before = land.filled[first_column + begin, first_row + row]
        if end <= begin or land.filled[first_column + end, first_row + row] == before:
            continue
        for column in range(begin, end):
            if land.height[first_row + row, first_column + column] == 0.0 or not _is_covered(profile, row, column):
                continue
            if not spare_rim or (
                _is_covered(profile, row - 1, column)
                and _is_covered(profile, row + 1, column)
                and _is_covered(profile, row, column - 1)
                and _is_covered(profile, row, column + 1)
            ):
                return True
    return False


@kernel
def intersects_bodies(land: Landscape, profile: Profile, row: int, column: int, z: float) -> bool:
    """Return True if a body with its middle at z above the cell (row, column) would lie within others.

    The others fill a cell from the lowest lower to the highest upper surface. Other than for `has_conflict`, a body
    has room below an overhang.
    """
    first_row, first_column = row + profile.first_row, column + profile.first_column
    left, right = max(0, -first_column), min(profile.bottom.shape[1], land.height.shape[1] - first_column)
    for i in range(max(0, -first_row), min(profile.bottom.shape[0], land.height.shape[0] - first_row)):
        begin, end = max(left, profile.spans[i, 0]), min(right, profile.spans[i, 1])
        before = land.filled[first_column + begin, first_row + i]
        if end <= begin or land.filled[first_column + end, first_row + i] == before:
            continue
        for j in range(begin, end):
            below, above = land.underside[first_row + i, first_column + j], land.height[first_row + i, first_column + j]
            # The bounds of an uncovered cell are inf and -inf, so it lies within nothing.
            if z + profile.top[i, j] > below and z + profile.bottom[i, j] < above:
                return True
    return False


@kernel
def _is_covered(profile: Profile, row: int, column: int) -> bool:
    """Return True if the body covers a cell of its profile; beyond the profile it covers none."""
    rows, columns = profile.bottom.shape
    inside = 0 <= row < rows and 0 <= column < columns
    return bool(inside and profile.top[row, column] >= profile.bottom[row, column])


@kernel
def add_body(land: Landscape, profile: Profile, x: float, y: float, z: float) -> int:
    """Enter a body's upper surface into the map; return the number of the picture's cells that were empty before."""
    first_row, first_column = find_row(land, y) + profile.first_row, find_column(land, x) + profile.first_column
    rows, columns = profile.bottom.shape
    height, width = land.height.shape
    covered = 0
    for row in range(max(0, -first_row), min(rows, height - first_row)):
        for column in range(max(0, -first_column), min(columns, width - first_column)):
            if profile.top[row, column] < profile.bottom[row, column]:
                continue
            i, j = first_row + row, first_column + column
            inside = land.margin <= i < height - land.margin and land.margin <= j < width - land.margin
            if land.height[i, j] == 0.0 and inside:
                covered += 1
            land.height[i, j] = max(land.height[i, j], z + profile.top[row, column])
            land.underside[i, j] = min(land.underside[i, j], z + profile.bottom[row, column])
    for j in range(max(0, first_column), width):
        for i in range(max(0, first_row), min(height, first_row + rows)):
            land.filled[j + 1, i] = land.filled[j, i] + (land.height[i, j] > 0.0)
    return covered
