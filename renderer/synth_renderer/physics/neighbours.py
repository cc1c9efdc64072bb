"""Which spheres are near each other or a wall: cell lists, linear in the number of spheres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def near_pairs(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64], skin: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (first, second) whose surfaces are closer than `skin`.

    locations (N, 3), radii (N,), walls (6,): lower and upper wall of x, y, z, infinite where there is none. A negative
    second body is the wall -1 - second. The order depends on the input alone: by first body, then by cell.
    """
    cells, start, members, shape = _cells(locations, float(2 * np.max(radii) + skin))
    count = _collect(locations, radii, walls, skin, cells, start, members, shape, np.empty((0, 2), np.int64))
    pairs = np.empty((count, 2), np.int64)
    _collect(locations, radii, walls, skin, cells, start, members, shape, pairs)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


@kernel
def _cells(
    locations: NDArray[np.float64], size: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Cell of each sphere (N, 3), where each cell starts in the members, the members sorted by cell, the grid's shape.

    Cells are wider than asked for where spheres are so scattered that there would be many more cells than spheres.
    """
    number = len(locations)
    cells = np.empty((number, 3), np.int64)
    shape = np.empty(3, np.int64)
    most = 2
    while most * most * most < 8 * number:
        most += 1
    for axis in range(3):
        low = np.min(locations[:, axis])
        width = max(size, (np.max(locations[:, axis]) - low) / most)
        for n in range(number):
            cells[n, axis] = int((locations[n, axis] - low) / width)
        shape[axis] = np.max(cells[:, axis]) + 1
    start = np.zeros(shape[0] * shape[1] * shape[2] + 1, np.int64)
    for n in range(number):
        start[_flat(cells[n, 0], cells[n, 1], cells[n, 2], shape) + 1] += 1
    start = np.cumsum(start)
    filled = start.copy()
    members = np.empty(number, np.int64)
    for n in range(number):
        cell = _flat(cells[n, 0], cells[n, 1], cells[n, 2], shape)
        members[filled[cell]] = n
        filled[cell] += 1
    return cells, start, members, shape


@kernel
def _flat(x: int, y: int, z: int, shape: NDArray[np.int64]) -> int:
    return int((x * shape[1] + y) * shape[2] + z)


@kernel
def _collect(
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
    """Count the pairs, and write them down where there is room."""
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
                for k in range(start[_flat(x, y, low, shape)], start[_flat(x, y, high, shape) + 1]):
                    other = members[k]
                    if other > n and _near(locations, n, other, radii[n] + radii[other] + skin):
                        if count < len(pairs):
                            pairs[count, 0], pairs[count, 1] = n, other
                        count += 1
    return count


@kernel
def _near(locations: NDArray[np.float64], first: int, second: int, reach: float) -> bool:
    x = locations[second, 0] - locations[first, 0]
    y = locations[second, 1] - locations[first, 1]
    z = locations[second, 2] - locations[first, 2]
    return bool(x * x + y * y + z * z < reach * reach)
