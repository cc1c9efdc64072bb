"""Pushing overlapping spheres apart, and how far a contact is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.physics.neighbours import near_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def contact(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64], first: int, second: int
) -> tuple[float, float, float, float]:
    """Gap between two surfaces (negative where they overlap) and the unit normal from first to second."""
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
    x, y, z = _way_out(first, second)
    return -radii[first] - radii[second], x, y, z


@kernel
def _way_out(first: int, second: int) -> tuple[float, float, float]:
    """A unit vector for two spheres with one centre: any will do, but always the same one."""
    x = (first * 40503 + second * 30011) % 1009 - 504.5
    y = (first * 22699 + second * 48271) % 1013 - 506.5
    z = (first * 16807 + second * 25931) % 1019 - 509.5
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@kernel
def project(
    locations: NDArray[np.float64],
    radii: NDArray[np.float64],
    walls: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    share: float,
    slop: float,
) -> float:
    """One sweep that takes away a share of each overlap beyond `slop` radii; the deepest seen, in smaller radii."""
    deepest = 0.0
    for c in range(len(first)):
        i, j = first[c], second[c]
        gap, x, y, z = contact(locations, radii, walls, i, j)
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
def largest_overlap(locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64]) -> float:
    """Deepest overlap between two spheres or a sphere and a wall, as a fraction of the smaller radius."""
    first, second = near_pairs(locations, radii, walls, 0.0)
    return project(locations, radii, walls, first, second, 0.0, 0.0)


@kernel
def separate(
    locations: NDArray[np.float64], radii: NDArray[np.float64], walls: NDArray[np.float64], goal: float, most: int
) -> int:
    """Push spheres apart in place until no overlap exceeds `goal` smaller radii, in at most so many sweeps.

    Gauss-Seidel projection, walls last within a sweep's order of pairs. Returns the sweeps it took.
    """
    skin = float(0.2 * np.min(radii))
    start = locations.copy()
    first, second = near_pairs(locations, radii, walls, skin)
    for sweep in range(most):
        if moved(start, locations) > 0.5 * skin:
            start[:] = locations
            first, second = near_pairs(locations, radii, walls, skin)
        if project(locations, radii, walls, first, second, 1.0, 0.5 * goal) <= goal:
            return sweep
    return most


@kernel
def moved(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Longest way between two (N, 3) sets of locations."""
    longest = 0.0
    for n in range(len(before)):
        x, y, z = after[n, 0] - before[n, 0], after[n, 1] - before[n, 1], after[n, 2] - before[n, 2]
        longest = max(longest, x * x + y * y + z * z)
    return float(np.sqrt(longest))
