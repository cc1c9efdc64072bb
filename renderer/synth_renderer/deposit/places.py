"""Places of bodies on the substrate, one function for each layout. Draws are hashed from the particle's own key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.deposit.landscape import (
    Landscape,
    find_column,
    find_middle,
    find_resting_height,
    find_row,
    has_conflict,
    intersects_bodies,
)
from synth_renderer.deposit.pose import draw_heading
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.deposit.profile import Profile

MAX_TRIES: Final = 300
"""Random places that a body tries."""
ROLLING_STEP: Final = 0.12
"""Step of a rolling body over its reach."""
MAX_ROLLING_STEPS: Final = 200
"""Steps after which a body stops rolling."""
MIN_DESCENT: Final = 1e-9
"""Scene units; a step that goes down by less does not count, so rounding starts no motion."""
HALF_DIAGONAL: Final = 0.7071067811865476
"""1 / sqrt(2): steps along the diagonal are as long as the others."""


class Bounds(NamedTuple):
    """Rectangle in which a body's middle may lie, scene units: x from left to right, y from low to high."""

    left: float
    right: float
    low: float
    high: float


class Place(NamedTuple):
    """Place of a body's middle, scene units; z above the substrate."""

    found: bool
    """False if there is no room; x, y and z are then 0."""
    x: float
    y: float
    z: float


NO_PLACE: Final = Place(False, 0.0, 0.0, 0.0)


@kernel
def _draw_point(bounds: Bounds, key: np.uint64, draw: int) -> tuple[float, float]:
    """Return a uniform point (x, y) in the bounds; `draw` counts the key's pairs of outputs."""
    x = bounds.left + draw_uniform(key, np.uint64(2 * draw)) * (bounds.right - bounds.left)
    y = bounds.low + draw_uniform(key, np.uint64(2 * draw + 1)) * (bounds.high - bounds.low)
    return x, y


@kernel
def find_free_place(land: Landscape, profile: Profile, bounds: Bounds, key: np.uint64) -> Place:
    """Return a random place on the free ground."""
    for draw in range(MAX_TRIES):
        x, y = _draw_point(bounds, key, draw)
        if not has_conflict(land, profile, x, y, False):
            return Place(True, x, y, -profile.lowest)
    return Place(False, 0.0, 0.0, 0.0)


@kernel
def find_touching_place(
    land: Landscape,
    profile: Profile,
    bounds: Bounds,
    key: np.uint64,
    placed: NDArray[np.float64],
    reach: float,
) -> Place:
    """Return a free place beside a random one of the bodies `placed` (N, 3): x, y and reach from above.

    The body approaches from a random side, cell by cell, until it would cover another one. `reach` is its own, scene
    units.
    """
    for draw in range(MAX_TRIES):
        other = int(draw_uniform(key, np.uint64(3 * draw)) * len(placed))
        side = draw_heading(draw_word(key, np.uint64(3 * draw + 1)))
        distance = placed[other, 2] + reach + 2.0 * land.cell
        x, y, steps = placed[other, 0] + distance * side[0], placed[other, 1] + distance * side[1], 0
        while not has_conflict(land, profile, x, y, False) and steps * land.cell < distance:
            x, y, steps = x - side[0] * land.cell, y - side[1] * land.cell, steps + 1
        x, y = x + side[0] * land.cell, y + side[1] * land.cell
        inside = bounds.left <= x <= bounds.right and bounds.low <= y <= bounds.high
        if steps > 0 and inside:
            return Place(True, x, y, -profile.lowest)
    return Place(False, 0.0, 0.0, 0.0)


@kernel
def find_packed_place(
    land: Landscape, profile: Profile, start: tuple[float, float], target: tuple[float, float], reach: float
) -> Place:
    """Return the place on the substrate where a body drawn from `start` to `target` (x, y) by other bodies ends.

    It slides along them as capillary forces pull it in a drying film, in 16 directions by steps that halve from its
    own reach to a cell, while that brings it nearer to the target. Middles of such bodies lie in the middle of cells.
    """
    column, row, z = find_column(land, start[0]), find_row(land, start[1]), -profile.lowest
    aim_column, aim_row = find_column(land, target[0]), find_row(land, target[1])
    if intersects_bodies(land, profile, row, column, z):
        return Place(False, 0.0, 0.0, 0.0)
    square = (column - aim_column) ** 2 + (row - aim_row) ** 2
    step = max(math.floor(0.5 * reach / land.cell), 1)
    while step > 0:
        nearest, best_column, best_row = square, column, row
        for dx in range(-2, 3):
            for dy in range(-2, 3):
                u, v = column + dx * step, row + dy * step
                away = (u - aim_column) ** 2 + (v - aim_row) ** 2
                is_direction = max(abs(dx), abs(dy)) == 1 or abs(dx * dy) == 2
                if is_direction and away < nearest and not intersects_bodies(land, profile, v, u, z):
                    nearest, best_column, best_row = away, u, v
        if nearest == square:
            step //= 2
        square, column, row = nearest, best_column, best_row
    x, y = find_middle(land, row, column)
    return Place(True, x, y, z)


@kernel
def find_resting_place(
    land: Landscape, profile: Profile, bounds: Bounds, start: tuple[float, float], reach: float, rolling: float
) -> Place:
    """Return the place of a body dropped at `start` (x, y): it rolls along the steepest of eight directions.

    It stops after the share `rolling` (0 … 1) of its path to the lowest place. At each height it touches the surface
    below, so it never sinks in.
    """
    x, y = start
    step = max(ROLLING_STEP * reach, land.cell)
    path = np.empty((MAX_ROLLING_STEPS, 3))
    z, steps = find_resting_height(land, profile, x, y), 0
    while steps < MAX_ROLLING_STEPS:
        path[steps] = x, y, z
        steps += 1
        best = z
        for dx in range(-1, 2):
            for dy in range(-1, 2):
                length = step if dx == 0 or dy == 0 else step * HALF_DIAGONAL
                u, v = path[steps - 1, 0] + dx * length, path[steps - 1, 1] + dy * length
                if not (bounds.left <= u <= bounds.right and bounds.low <= v <= bounds.high):
                    continue
                height = find_resting_height(land, profile, u, v)
                if height < best - MIN_DESCENT:
                    best, x, y = height, u, v
        if best == z:
            break
        z = best
    stop = min(math.floor(rolling * (steps - 1) + 0.5), steps - 1)
    return Place(True, path[stop, 0], path[stop, 1], path[stop, 2])


@kernel
def draw_drop_point(bounds: Bounds, key: np.uint64, piles: NDArray[np.float64], width: float) -> tuple[float, float]:
    """Return the point (x, y) above which a body is dropped: anywhere, or around a random one of the `piles` (P, 2).

    Around a pile x and y are normal with the standard deviation `width`, as sums of 12 uniform draws less 6.
    """
    if not len(piles):
        return _draw_point(bounds, key, 0)
    pile = int(draw_uniform(key, np.uint64(24)) * len(piles))
    for attempt in range(MAX_TRIES):
        x, y = -6.0, -6.0
        for draw in range(12):
            x += draw_uniform(key, np.uint64(32 * attempt + 2 * draw))
            y += draw_uniform(key, np.uint64(32 * attempt + 2 * draw + 1))
        x, y = piles[pile, 0] + width * x, piles[pile, 1] + width * y
        if bounds.left <= x <= bounds.right and bounds.low <= y <= bounds.high:
            return x, y
    return _draw_point(bounds, key, MAX_TRIES)
