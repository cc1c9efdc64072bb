"""Holes of a holey or lacey film: how deep a place lies within the nearest one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, index_cell, plane_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

JITTER: Final = 0.7
"""Part of a cell of the lattice over which its centre is drawn."""
RADIUS_SPREAD: Final = 0.5
"""Range of the radii of the holes, distances of holes."""
WARP: Final = 0.08
"""Displacement of the outlines of lacey holes, distances of holes."""
WARP_SCALE: Final = 2.5
"""Waves of that displacement in a distance of holes."""
REACH: Final = 2
"""Cells on each side that may hold the centres nearest to a place."""


@kernel
def measure_depth_in_holes(
    key: np.uint64, height: int, width: int, distance: float, is_lacey: bool
) -> NDArray[np.float32]:
    """Return how far each pixel lies within a hole, px, (H, W); negative in the film between round holes.

    One centre in each cell of a lattice of `distance` px. A round hole ends at its radius; depth is the radius minus
    the distance from the centre, of the hole where it is largest. A lacey film has walls where two cells of the power
    diagram meet (F. Aurenhammer, Power diagrams, SIAM J. Comput. 16, 1987); of the distances a and b from the two
    nearest walls the depth is a b / (a + b), so holes have round corners.
    """
    rows, columns = math.ceil(height / distance) + 2 * REACH + 2, math.ceil(width / distance) + 2 * REACH + 2
    centres = _draw_centres(key, rows, columns, distance)
    depth = np.empty((height, width), dtype=np.float32)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5, row + 0.5
            if is_lacey:
                u, v = WARP_SCALE * x / distance, WARP_SCALE * y / distance
                x += WARP * distance * plane_noise(key + np.uint64(1), u, v)
                y += WARP * distance * plane_noise(key + np.uint64(2), u, v)
            i, j = math.floor(x / distance) + REACH, math.floor(y / distance) + REACH
            i, j = min(max(i, REACH), columns - REACH - 1), min(max(j, REACH), rows - REACH - 1)
            near = centres[j - REACH : j + REACH + 1, i - REACH : i + REACH + 1]
            depth[row, column] = _measure_in_cell(near, x, y) if is_lacey else _measure_in_disc(near, x, y)
    return depth


@kernel
def _draw_centres(key: np.uint64, rows: int, columns: int, distance: float) -> NDArray[np.float64]:
    """Return x, y and radius, px, of the centre in each cell, (rows, columns, 3); the first cells lie outside."""
    centres = np.empty((rows, columns, 3))
    margin = 0.5 - 0.5 * JITTER
    for j in range(rows):
        for i in range(columns):
            cell = index_cell(i, j)
            centres[j, i, 0] = (i - REACH + margin + JITTER * draw_uniform(key, cell)) * distance
            centres[j, i, 1] = (j - REACH + margin + JITTER * draw_uniform(key, cell + np.uint64(1))) * distance
            centres[j, i, 2] = RADIUS_SPREAD * distance * draw_uniform(key, cell + np.uint64(2))
    return centres


@kernel
def _measure_in_disc(centres: NDArray[np.float64], x: float, y: float) -> float:
    """Return the largest of radius - distance from the centre, px, over centres (n, n, 3)."""
    depth = -np.inf
    for j in range(centres.shape[0]):
        for i in range(centres.shape[1]):
            dx, dy = centres[j, i, 0] - x, centres[j, i, 1] - y
            depth = max(depth, centres[j, i, 2] - math.sqrt(dx * dx + dy * dy))
    return depth


@kernel
def _measure_in_cell(centres: NDArray[np.float64], x: float, y: float) -> float:
    """Return a b / (a + b) of the distances a and b, px, from the two nearest walls of a cell of the power diagram."""
    least, first, second = np.inf, np.inf, np.inf
    own_x, own_y = 0.0, 0.0
    for j in range(centres.shape[0]):
        for i in range(centres.shape[1]):
            dx, dy = centres[j, i, 0] - x, centres[j, i, 1] - y
            power = dx * dx + dy * dy - centres[j, i, 2] * centres[j, i, 2]
            if power < least:
                least, own_x, own_y = power, centres[j, i, 0], centres[j, i, 1]
    for j in range(centres.shape[0]):
        for i in range(centres.shape[1]):
            dx, dy = centres[j, i, 0] - x, centres[j, i, 1] - y
            apart_x, apart_y = centres[j, i, 0] - own_x, centres[j, i, 1] - own_y
            apart = math.sqrt(apart_x * apart_x + apart_y * apart_y)
            if apart == 0.0:
                continue
            power = dx * dx + dy * dy - centres[j, i, 2] * centres[j, i, 2]
            wall = (power - least) / (2.0 * apart)
            if wall < first:
                first, second = wall, first
            elif wall < second:
                second = wall
    return first * second / (first + second) if first + second > 0.0 else 0.0
