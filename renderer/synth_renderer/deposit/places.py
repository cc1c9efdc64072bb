"""Where a body goes: one function for each layout. Draws are hashed from the particle's own key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.deposit.landscape import Landscape, conflicts, resting_height
from synth_renderer.deposit.pose import heading
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import uniform, word

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.deposit.profile import Profile

TRIES: Final = 300
"""Places at which room is looked for."""
STEP: Final = 0.12
"""Of a rolling body, over its radius."""
LONGEST_WAY: Final = 200
"""Steps after which a body has rolled far enough."""


class Bounds(NamedTuple):
    """Where a body's middle may lie, scene units."""

    left: float
    right: float
    low: float
    high: float


class Place(NamedTuple):
    """Whether there is room, and where the body's middle comes to lie; z above the substrate."""

    found: bool
    x: float
    y: float
    z: float


@kernel
def _anywhere(bounds: Bounds, key: np.uint64, draw: int) -> tuple[float, float]:
    x = bounds.left + uniform(key, np.uint64(2 * draw)) * (bounds.right - bounds.left)
    y = bounds.low + uniform(key, np.uint64(2 * draw + 1)) * (bounds.high - bounds.low)
    return x, y


@kernel
def free_place(land: Landscape, profile: Profile, bounds: Bounds, key: np.uint64) -> Place:
    """A random place where the ground is free."""
    for draw in range(TRIES):
        x, y = _anywhere(bounds, key, draw)
        if not conflicts(land, profile, x, y, False):
            return Place(True, x, y, -profile.lowest)
    return Place(False, 0.0, 0.0, 0.0)


@kernel
def touching_place(
    land: Landscape,
    profile: Profile,
    bounds: Bounds,
    key: np.uint64,
    placed: NDArray[np.float64],
    reach: float,
) -> Place:
    """A free place that touches a random one of the bodies `placed` (N, 3): x, y and reach from above.

    From a random side it comes as near as cells of the map let it. `reach` is the body's own, scene units.
    """
    for draw in range(TRIES):
        other = int(uniform(key, np.uint64(3 * draw)) * len(placed))
        side = heading(word(key, np.uint64(3 * draw + 1)))
        far = placed[other, 2] + reach + 2.0 * land.cell
        x, y, steps = placed[other, 0] + far * side[0], placed[other, 1] + far * side[1], 0
        while not conflicts(land, profile, x, y, False) and steps * land.cell < far:
            x, y, steps = x - side[0] * land.cell, y - side[1] * land.cell, steps + 1
        x, y = x + side[0] * land.cell, y + side[1] * land.cell
        inside = bounds.left <= x <= bounds.right and bounds.low <= y <= bounds.high
        if steps > 0 and inside:
            return Place(True, x, y, -profile.lowest)
    return Place(False, 0.0, 0.0, 0.0)


@kernel
def fallen_place(
    land: Landscape, profile: Profile, bounds: Bounds, start: tuple[float, float], reach: float, rolling: float
) -> Place:
    """Where a body dropped at `start` comes to lie: it rolls down the steepest of eight ways, `rolling` of the way.

    Heights are those at which it touches what lies below, so it never sinks in.
    """
    x, y = start
    step = max(STEP * reach, land.cell)
    way = np.empty((LONGEST_WAY, 3))
    z, steps = resting_height(land, profile, x, y), 0
    while steps < LONGEST_WAY:
        way[steps] = x, y, z
        steps += 1
        best = z
        for dx in range(-1, 2):
            for dy in range(-1, 2):
                length = step if dx == 0 or dy == 0 else step * 0.7071067811865476
                u, v = way[steps - 1, 0] + dx * length, way[steps - 1, 1] + dy * length
                if not (bounds.left <= u <= bounds.right and bounds.low <= v <= bounds.high):
                    continue
                height = resting_height(land, profile, u, v)
                if height < best - 1e-9:
                    best, x, y = height, u, v
        if best == z:
            break
        z = best
    stop = min(math.floor(rolling * (steps - 1) + 0.5), steps - 1)
    return Place(True, way[stop, 0], way[stop, 1], way[stop, 2])


@kernel
def centre_of_fall(bounds: Bounds, key: np.uint64, piles: NDArray[np.float64], width: float) -> tuple[float, float]:
    """Where a body is dropped: anywhere, or around one of the `piles` (P, 2), normal by the sum of 12 uniform draws."""
    if not len(piles):
        return _anywhere(bounds, key, 0)
    pile = int(uniform(key, np.uint64(24)) * len(piles))
    for attempt in range(TRIES):
        x, y = -6.0, -6.0
        for draw in range(12):
            x += uniform(key, np.uint64(32 * attempt + 2 * draw))
            y += uniform(key, np.uint64(32 * attempt + 2 * draw + 1))
        x, y = piles[pile, 0] + width * x, piles[pile, 1] + width * y
        if bounds.left <= x <= bounds.right and bounds.low <= y <= bounds.high:
            return x, y
    return _anywhere(bounds, key, TRIES)
