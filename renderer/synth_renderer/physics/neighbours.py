"""Pairs of near spheres, and of spheres near walls, by cell lists: time linear in the number of spheres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def find_near_pairs(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64], skin: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs (first, second), (C,) each, with surfaces closer than `skin`.

    locations (N, 3), radii (N,), walls (6,): lower and upper wall of x, y and z in turn, infinite where there is none;
    scene units. A negative second body is the wall -1 - second. The order depends on the input alone: by first body,
    walls before spheres, then by cell.
    """
    cells, start, members, shape = _build_cells(locations, float(2 * np.max(radii) + skin))
    count = _collect_pairs(locations, radii, walls, skin, cells, start, members, shape, np.empty((0, 2), np.int64))
    pairs = np.empty((count, 2), np.int64)
    _collect_pairs(locations, radii, walls, skin, cells, start, members, shape, pairs)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


@kernel
def _build_cells(
    locations: NDArray[np.float64], size: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return cell of each sphere (N, 3), start of each cell in the members, members (N,) by cell, shape of the grid.

    A counting sort. Cells are at least `size` wide, and wider where spheres are so scattered that there would be many
    more cells than spheres: about (2 cbrt(N) + 1)^3 cells at most. A sphere's neighbours are in its cell and the 26
    around it.
    """
    number = len(locations)
    cells = np.empty((number, 3), np.int64)
    shape = np.empty(3, np.int64)
    max_cells = 2
    while max_cells * max_cells * max_cells < 8 * number:
        max_cells += 1
    for axis in range(3):
        low = np.min(locations[:, axis])
        width = max(size, (np.max(locations[:, axis]) - low) / max_cells)
        for n in range(number):
            cells[n, axis] = int((locations[n, axis] - low) / width)
        shape[axis] = np.max(cells[:, axis]) + 1
    start = np.zeros(shape[0] * shape[1] * shape[2] + 1, np.int64)
    for n in range(number):
        start[_flatten_index(cells[n, 0], cells[n, 1], cells[n, 2], shape) + 1] += 1
    start = np.cumsum(start)
    filled = start.copy()
    members = np.empty(number, np.int64)
    for n in range(number):
        cell = _flatten_index(cells[n, 0], cells[n, 1], cells[n, 2], shape)
        members[filled[cell]] = n
        filled[cell] += 1
    return cells, start, members, shape


@kernel
def _flatten_index(x: int, y: int, z: int, shape: NDArray[np.int64]) -> int:
    """Return the flat number of a cell; cells that follow each other along z have successive numbers."""
    return int((x * shape[1] + y) * shape[2] + z)


@kernel
def _collect_pairs(
    locations: NDArray[np.float64],
    radii: NDArray[np.float64],
    walls: NDArray[np.float64],
    skin: float,
    cells: NDArray[np.int64],
    start: NDArray[np.int64],
    members: NDArray[np.int64],
    shape: NDArray[np.int64],
    pairs: NDArray[np.int64],
) -> int:
    """Count the pairs, and write them to `pairs` (C, 2) as far as there is room; the arguments are those above."""
    count = 0
    for n in range(len(locations)):
        for wall in range(6):
            axis = wall // 2
            distance = locations[n, axis] - walls[wall] if wall % 2 == 0 else walls[wall] - locations[n, axis]
            if distance - radii[n] < skin:
                if count < len(pairs):
                    pairs[count, 0], pairs[count, 1] = n, -1 - wall
                count += 1
        for x in range(max(cells[n, 0] - 1, 0), min(cells[n, 0] + 2, shape[0])):
            for y in range(max(cells[n, 1] - 1, 0), min(cells[n, 1] + 2, shape[1])):
                low = max(cells[n, 2] - 1, 0)
                high = min(cells[n, 2] + 1, shape[2] - 1)
                for k in range(start[_flatten_index(x, y, low, shape)], start[_flatten_index(x, y, high, shape) + 1]):
                    other = members[k]
                    if other > n and _is_near(locations, n, other, radii[n] + radii[other] + skin):
                        if count < len(pairs):
                            pairs[count, 0], pairs[count, 1] = n, other
                        count += 1
    return count


@kernel
def _is_near(locations: NDArray[np.float64], first: int, second: int, reach: float) -> bool:
    """Return True if the centres of two spheres are closer than `reach`."""
    x = locations[second, 0] - locations[first, 0]
    y = locations[second, 1] - locations[first, 1]
    z = locations[second, 2] - locations[first, 2]
    return bool(x * x + y * y + z * z < reach * reach)
