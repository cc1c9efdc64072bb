"""The map of what lies on the substrate: heights, and the share of the picture that is covered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.deposit.profile import Profile

CELLS: Final = 512
"""Of the map, across the longer side of the picture."""


class Landscape(NamedTuple):
    """Heights (H, W) above the substrate, 0 where there is nothing; the picture is rows and columns `margin` … from
    each side. The middle of the picture is the origin of x and y; cells are `cell` wide, scene units.

    filled (W + 1, H) counts the cells of a row, before each column, where something lies: whether a body has room is
    asked thousands of times for each that is put, and most rows answer with one difference of two counts. Rows are
    next to each other in memory because a body asks all of its rows at about the same column.
    """

    height: NDArray[np.float64]
    filled: NDArray[np.int32]
    margin: int
    cell: float


def empty_landscape(view: tuple[float, float], reach: float) -> Landscape:
    """A map of the picture of that width and height and of `reach` around it, scene units."""
    cell = max(view) / CELLS
    margin = math.ceil(reach / cell) + 2
    columns, rows = (round(extent / cell) for extent in view)
    height = np.zeros((rows + 2 * margin, columns + 2 * margin))
    return Landscape(height, np.zeros((height.shape[1] + 1, height.shape[0]), dtype=np.int32), margin, cell)


@kernel
def row_of(land: Landscape, y: float) -> int:
    """Row of the map at y."""
    return math.floor(y / land.cell + 0.5 * land.height.shape[0])


@kernel
def column_of(land: Landscape, x: float) -> int:
    """Column of the map at x."""
    return math.floor(x / land.cell + 0.5 * land.height.shape[1])


@kernel
def resting_height(land: Landscape, profile: Profile, x: float, y: float) -> float:
    """Height of a body's middle where it meets what lies below it at (x, y); beyond the map there is nothing."""
    first_row, first_column = row_of(land, y) + profile.first_row, column_of(land, x) + profile.first_column
    rows, columns = profile.bottom.shape
    z = -profile.lowest
    for row in range(max(0, -first_row), min(rows, land.height.shape[0] - first_row)):
        for column in range(max(0, -first_column), min(columns, land.height.shape[1] - first_column)):
            # An empty cell is the substrate, which the lowest vertex rests on.
            ground = land.height[first_row + row, first_column + column]
            if ground > 0.0:
                z = max(z, ground - profile.bottom[row, column])
    return z


@kernel
def conflicts(land: Landscape, profile: Profile, x: float, y: float, spare_rim: bool) -> bool:
    """Whether a body at (x, y) covers cells where something lies; `spare_rim` lets its outermost cells do so."""
    first_row, first_column = row_of(land, y) + profile.first_row, column_of(land, x) + profile.first_column
    rows, columns = profile.bottom.shape
    left, right = max(0, -first_column), min(columns, land.height.shape[1] - first_column)
    for row in range(max(0, -first_row), min(rows, land.height.shape[0] - first_row)):
        begin, end = max(left, profile.spans[row, 0]), min(right, profile.spans[row, 1])
        before = land.filled[first_column + begin, first_row + row]
        if end <= begin or land.filled[first_column + end, first_row + row] == before:
            continue
        for column in range(begin, end):
            if land.height[first_row + row, first_column + column] == 0.0 or not _covers(profile, row, column):
                continue
            if not spare_rim or (
                _covers(profile, row - 1, column)
                and _covers(profile, row + 1, column)
                and _covers(profile, row, column - 1)
                and _covers(profile, row, column + 1)
            ):
                return True
    return False


@kernel
def _covers(profile: Profile, row: int, column: int) -> bool:
    """Whether the body covers a cell of its profile; beyond the profile it does not."""
    rows, columns = profile.bottom.shape
    inside = 0 <= row < rows and 0 <= column < columns
    return bool(inside and profile.top[row, column] >= profile.bottom[row, column])


@kernel
def put(land: Landscape, profile: Profile, x: float, y: float, z: float) -> int:
    """Enter a body's upper surface into the map; the number of cells of the picture that it covers anew."""
    first_row, first_column = row_of(land, y) + profile.first_row, column_of(land, x) + profile.first_column
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
    for j in range(max(0, first_column), width):
        for i in range(max(0, first_row), min(height, first_row + rows)):
            land.filled[j + 1, i] = land.filled[j, i] + (land.height[i, j] > 0.0)
    return covered
