"""Overlaps of spheres: measuring them, and pushing spheres apart.

locations (N, 3), radii (N,), walls (6,) and pairs (first, second) are as in `neighbours.find_near_pairs`; scene units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.physics.neighbours import find_near_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIST_SKIN = 0.2
"""Width of the layer around a sphere, in smallest radii, within which pairs are listed."""


@kernel
def measure_contact(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64], first: int, second: int
) -> tuple[float, float, float, float]:
    """Return the gap between two surfaces, negative if they overlap, and the unit normal from first to second."""
    if second < 0:
        wall = -1 - second
        axis = wall // 2
        side = -1.0 if wall % 2 == 0 else 1.0
        gap = side * (walls[wall] - locations[first, axis]) - radii[first]
        return gap, side * (axis == 0), side * (axis == 1), side * (axis == 2)
    x = locations[second, 0] - locations[first, 0]
    y = locations[second, 1] - locations[first, 1]
    z = locations[second, 2] - locations[first, 2]
    distance = np.sqrt(x * x + y * y + z * z)
    if distance > 0:
        return distance - radii[first] - radii[second], x / distance, y / distance, z / distance
    x, y, z = _choose_normal(first, second)
    return -radii[first] - radii[second], x, y, z


@kernel
def _choose_normal(first: int, second: int) -> tuple[float, float, float]:
    """Return a unit vector for two spheres with the same centre: always the same one, but not the same for all pairs.

    Each component is a hash of the pair, centred and never 0, by products modulo a prime near 1,000.
    """
    x = (first * 40503 + second * 30011) % 1009 - 504.5
    y = (first * 22699 + second * 48271) % 1013 - 506.5
    z = (first * 16807 + second * 25931) % 1019 - 509.5
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@kernel
def reduce_overlaps(
    locations: NDArray[np.float64],
    radii: NDArray[np.float64],
    walls: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    share: float,
    slop: float,
) -> float:
    """Sweep once over the pairs and remove a `share` of each overlap beyond `slop` smaller radii, in place.

    Return the deepest overlap of the sweep, in smaller radii. Two spheres move by half each.
    """
    deepest = 0.0
    for c in range(len(first)):
        i, j = first[c], second[c]
        gap, x, y, z = measure_contact(locations, radii, walls, i, j)
        if gap >= 0:
            continue
        radius = radii[i] if j < 0 else min(radii[i], radii[j])
        deepest = max(deepest, -gap / radius)
        push = share * (gap + slop * radius)
        if push >= 0:
            continue
        if j >= 0:
            push *= 0.5
            locations[j, 0] -= push * x
            locations[j, 1] -= push * y
            locations[j, 2] -= push * z
        locations[i, 0] += push * x
        locations[i, 1] += push * y
        locations[i, 2] += push * z
    return deepest


@kernel
def measure_largest_overlap(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64]
) -> float:
    """Return the deepest overlap of two spheres or of a sphere and a wall, in smaller radii; 0 without any."""
    first, second = find_near_pairs(locations, radii, walls, 0.0)
    return reduce_overlaps(locations, radii, walls, first, second, 0.0, 0.0)


@kernel
def separate_spheres(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64], goal: float, max_sweeps: int
) -> int:
    """Push spheres apart in place until no overlap exceeds `goal` smaller radii; return the number of sweeps.

    Gauss-Seidel projection of positions in the order of the pairs. Each sweep aims at half the goal. The pairs within a
    skin of 0.2 smallest radii are listed again when a sphere has moved by half of it: two spheres may then have come
    closer by the whole skin.
    """
    skin = float(LIST_SKIN * np.min(radii))
    start = locations.copy()
    first, second = find_near_pairs(locations, radii, walls, skin)
    for sweep in range(max_sweeps):
        if measure_largest_move(start, locations) > 0.5 * skin:
            start[:] = locations
            first, second = find_near_pairs(locations, radii, walls, skin)
        if reduce_overlaps(locations, radii, walls, first, second, 1.0, 0.5 * goal) <= goal:
            return sweep
    return max_sweeps


@kernel
def measure_largest_move(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the longest distance between equal rows of two arrays (N, 3)."""
    longest = 0.0
    for n in range(len(before)):
        x, y, z = after[n, 0] - before[n, 0], after[n, 1] - before[n, 1], after[n, 2] - before[n, 2]
        longest = max(longest, x * x + y * y + z * z)
    return float(np.sqrt(longest))
