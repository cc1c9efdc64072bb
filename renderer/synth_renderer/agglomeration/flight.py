"""Flight of a cluster of spheres to another one, until they touch. Only + - x / sqrt: the same bits everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.directions import draw_direction
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_STEP: Final = 0.01
"""Minimum step of a flight, in smallest radii: shorter ones would take long and end at the same places."""
_AXES: Final = 3


@kernel
def fly_until_contact(
    still: NDArray[np.float64],
    still_radii: NDArray[np.float64],
    moving: NDArray[np.float64],
    moving_radii: NDArray[np.float64],
    speed: float,
    randomness: float,
    key: np.uint64,
) -> tuple[NDArray[np.float64], int, int]:
    """Return the move (3,) after which a cluster touches another one, and the touching spheres of both.

    still (A, 3) and moving (B, 3): centres relative to the middle of their cluster; the move is that of one middle from
    the other. The moving cluster starts on the sphere around the other one on which both just cannot touch, so that its
    straight direction is uniform over space and over the disc across it. Each step of length `speed` goes along
    (1 - randomness) straight + randomness random, normalised. A cluster that leaves the sphere starts again; at
    randomness 1, Brownian motion, it returns to where such a motion from that point first meets the sphere, or starts
    again with the probability that it never does (1 - R / r; the Poisson kernel of the outside of a sphere), and it
    crosses free space by jumps as long as the free distance (M. E. Muller, Some continuous Monte Carlo methods for the
    Dirichlet problem, 1956).
    """
    reach, other = _measure_reach(still, still_radii), _measure_reach(moving, moving_radii)
    border, smallest = reach + other, float(min(np.min(still_radii), np.min(moving_radii)))
    step = max(speed, MIN_STEP * smallest)
    draw, place, straight = np.uint64(0), np.zeros(_AXES), np.zeros(_AXES)
    is_outside, free = True, 0.0
    while True:
        if is_outside:
            place = border * draw_direction(np.uint64(draw_word(key, draw)))
            straight = draw_direction(np.uint64(draw_word(key, draw + np.uint64(1)))) - place / border
            straight /= _measure_length(straight)
            draw, is_outside, free = draw + np.uint64(2), False, 0.0
        if free < step and randomness > 0.0:
            free = _measure_gap(still, still_radii, moving, moving_radii, place, reach)
        length, direction = 2.0 * border, straight
        if randomness > 0.0:
            length = max(step, free) if randomness == 1.0 else step
            direction = (1.0 - randomness) * straight + randomness * draw_direction(np.uint64(draw_word(key, draw)))
            size = _measure_length(direction)
            direction = direction / size if size > 0.0 else straight
            draw += np.uint64(1)
        if length > free:
            way, first, second = find_first_contact(
                still, still_radii, moving, moving_radii, place, direction, length, 1.0, reach
            )
            if first >= 0:
                return place + way * direction, first, second
        place = place + length * direction
        free -= length
        distance = _measure_length(place)
        if distance > border:
            is_outside = True
            if randomness == 1.0 and draw_uniform(key, draw) * distance < border:
                place = _return_to_sphere(place, distance, border, np.uint64(draw_word(key, draw + np.uint64(1))))
                is_outside, free = False, 0.0
            draw += np.uint64(2)


@kernel
def find_first_contact(
    still: NDArray[np.float64],
    still_radii: NDArray[np.float64],
    moving: NDArray[np.float64],
    moving_radii: NDArray[np.float64],
    place: NDArray[np.float64],
    direction: NDArray[np.float64],
    length: float,
    scale: float,
    reach: float,
) -> tuple[float, int, int]:
    """Return the way to the first contact within `length` and its spheres, or `length`, -1, -1.

    The moving cluster, with its middle at `place` (3,), goes along the unit vector `direction` (3,). Spheres touch at
    `scale` times the sum of their radii; `reach` is that of the still cluster around the origin.
    """
    best, first, second = length, -1, -1
    u, v, w = direction
    for j in range(len(moving)):
        x, y, z = moving[j, 0] + place[0], moving[j, 1] + place[1], moving[j, 2] + place[2]
        along, limit = x * u + y * v + z * w, reach + moving_radii[j]
        apart = x * x + y * y + z * z - limit * limit
        if apart > 0.0 and (along >= 0.0 or along * along < apart):
            continue
        for i in range(len(still)):
            a, b, c = x - still[i, 0], y - still[i, 1], z - still[i, 2]
            along = a * u + b * v + c * w
            if along >= 0.0:
                continue
            limit = scale * (still_radii[i] + moving_radii[j])
            apart = a * a + b * b + c * c - limit * limit
            square = along * along - apart
            if square < 0.0:
                continue
            way = max(apart / (math.sqrt(square) - along), 0.0)
            if way < best:
                best, first, second = way, i, j
    return best, first, second


@kernel
def _measure_gap(
    still: NDArray[np.float64],
    still_radii: NDArray[np.float64],
    moving: NDArray[np.float64],
    moving_radii: NDArray[np.float64],
    place: NDArray[np.float64],
    reach: float,
) -> float:
    """Return the smallest distance between the surfaces of two clusters."""
    best = np.inf
    for j in range(len(moving)):
        x, y, z = moving[j, 0] + place[0], moving[j, 1] + place[1], moving[j, 2] + place[2]
        limit = reach + moving_radii[j] + best
        if x * x + y * y + z * z >= limit * limit:
            continue
        for i in range(len(still)):
            a, b, c = x - still[i, 0], y - still[i, 1], z - still[i, 2]
            limit = still_radii[i] + moving_radii[j]
            square = a * a + b * b + c * c
            if square < (limit + best) * (limit + best):
                best = max(math.sqrt(square) - limit, 0.0)
    return float(best)


@kernel
def _return_to_sphere(
    place: NDArray[np.float64], distance: float, border: float, key: np.uint64
) -> NDArray[np.float64]:
    """Return where a Brownian motion from `place` (3,), at a distance outside, first meets the sphere, if it does."""
    ratio, axis = border / distance, place / distance
    part = (1.0 - ratio * ratio) / (1.0 - ratio + 2.0 * ratio * draw_uniform(key, np.uint64(0)))
    cosine = min(max((1.0 + ratio * ratio - part * part) / (2.0 * ratio), -1.0), 1.0)
    side = draw_direction(np.uint64(draw_word(key, np.uint64(1))))
    side = side - (side[0] * axis[0] + side[1] * axis[1] + side[2] * axis[2]) * axis
    size = _measure_length(side)
    if size < 1e-9:
        return border * axis
    met: NDArray[np.float64] = border * (cosine * axis + math.sqrt(1.0 - cosine * cosine) / size * side)
    return met


@kernel
def _measure_reach(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> float:
    """Return the radius of the sphere around the origin that holds the spheres."""
    reach = 0.0
    for i in range(len(centres)):
        reach = max(reach, _measure_length(centres[i]) + radii[i])
    return reach


@kernel
def _measure_length(vector: NDArray[np.float64]) -> float:
    return math.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])
