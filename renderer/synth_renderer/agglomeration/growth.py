"""Agglomerates of spheres that collide and stick, particle to cluster or cluster to cluster."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_renderer.agglomeration.flight import find_first_contact, fly_until_contact
from synth_renderer.model.transforms import multiply_quaternions, rotation_matrix, transform_points
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.directions import draw_rotation
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRACTAL_DIMENSIONS: Final = {
    ("particle-cluster", False): 2.73,
    ("particle-cluster", True): 2.25,
    ("cluster-cluster", False): 1.91,
    ("cluster-cluster", True): 1.79,
}
"""Fractal dimension of agglomerates of equal spheres, by mode and whether the motion is Brownian (randomness 1).

1.91: P. Meakin, Effects of cluster trajectories on cluster-cluster aggregation, Physical Review A 29, 997, 1984, linear
trajectories. The others, agglomerates of 256 spheres that are called BPCA, DLA and DLCA there: M. L. Eggersdorfer,
D. Kadau, H. J. Herrmann, S. E. Pratsinis, Multiparticle sintering dynamics: from fractal-like aggregates to compact
structures, Langmuir 27, 6358, 2011. Larger agglomerates of the mode particle-cluster are denser: 3.0 and 2.5 in the
limit.
"""
SPHERE_GYRATION: Final = 0.6
"""Square of a sphere's radius of gyration, in squares of its radius."""
_FLIGHT: Final = np.uint64(2**40)
_TURN: Final = np.uint64(2**41)
"""First outputs of the key for the flights and rotations of the collisions; those below choose who collides."""


class Agglomerate(NamedTuple):
    """N spheres of one agglomerate."""

    centres: NDArray[np.float64]
    """Centres (N, 3) around its centre of mass."""
    turns: NDArray[np.float64]
    """Quaternions (N, 4) w x y z, by which the spheres have turned."""
    contacts: NDArray[np.int64]
    """The two spheres of each collision (N - 1, 2)."""


def grow_agglomerate(
    radii: NDArray[np.float64], mode: str, speed: float, randomness: float, sintering_ratio: float, key: np.uint64
) -> Agglomerate:
    """Return one agglomerate of spheres of these radii (N,); `mode` is `cluster-cluster` or `particle-cluster`.

    In cluster-cluster two clusters i and j collide with a probability in proportion to (Rg_i + Rg_j)^2 sqrt(1/m_i +
    1/m_j), Rg the radius of gyration and m the mass. Both turn at random before their collision. No two spheres come
    nearer than (1 - sintering_ratio) times the sum of their radii, and in each collision one pair comes that near.
    Lengths in scene units; `speed` is the length of a step, and `key` that of all draws.
    """
    return Agglomerate(*_grow(radii, mode == "cluster-cluster", speed, randomness, sintering_ratio, key))


@kernel
def _grow(
    radii: NDArray[np.float64], is_mutual: bool, speed: float, randomness: float, sintering_ratio: float, key: np.uint64
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return centres (N, 3), turns (N, 4) and touching spheres (N - 1, 2): each collision joins two clusters."""
    number = len(radii)
    centres, turns = np.zeros((number, 3)), np.zeros((number, 4))
    turns[:, 0] = 1.0
    contacts = np.empty((number - 1, 2), np.int64)
    cluster = np.arange(number)
    masses = radii * radii * radii
    gyration = np.sqrt(SPHERE_GYRATION) * radii
    alive = _shuffle(number, key)
    draw = np.uint64(number)
    for collision in range(number - 1):
        place, other = 0, number - 1 - collision
        if is_mutual:
            place, other, draw = _choose_pair(alive[: number - collision], masses, gyration, key, draw)
        kept, gone = alive[place], alive[other]
        still, moving = np.flatnonzero(cluster == kept), np.flatnonzero(cluster == gone)
        word = np.uint64(collision)
        _turn(centres, turns, moving, draw_rotation(np.uint64(draw_word(key, _TURN + word))))
        move, first, second = _collide(
            centres[still], radii[still], centres[moving], radii[moving], speed, randomness, sintering_ratio,
            np.uint64(draw_word(key, _FLIGHT + word)),
        )  # fmt: skip
        contacts[collision] = still[first], moving[second]
        for member in moving:
            centres[member] += move
            cluster[member] = kept
        masses[kept], gyration[kept] = _centre(centres, radii, np.flatnonzero(cluster == kept))
        alive[other] = alive[number - 1 - collision]
    return centres, turns, contacts


@kernel
def _collide(
    still: NDArray[np.float64],
    still_radii: NDArray[np.float64],
    moving: NDArray[np.float64],
    moving_radii: NDArray[np.float64],
    speed: float,
    randomness: float,
    sintering_ratio: float,
    key: np.uint64,
) -> tuple[NDArray[np.float64], int, int]:
    """Return the move (3,) of the moving cluster, and the spheres that have come nearest."""
    move, first, second = fly_until_contact(still, still_radii, moving, moving_radii, speed, randomness, key)
    if sintering_ratio == 0.0:
        return move, first, second
    line = still[first] - moving[second] - move
    distance = math.sqrt(line[0] * line[0] + line[1] * line[1] + line[2] * line[2])
    line /= distance
    limit = sintering_ratio * (still_radii[first] + moving_radii[second])
    way, nearer, near = find_first_contact(
        still, still_radii, moving, moving_radii, move, line, limit, 1.0 - sintering_ratio, np.inf
    )
    if nearer >= 0:
        first, second = nearer, near
    return move + way * line, first, second


@kernel
def _choose_pair(
    alive: NDArray[np.int64],
    masses: NDArray[np.float64],
    gyration: NDArray[np.float64],
    key: np.uint64,
    draw: np.uint64,
) -> tuple[int, int, np.uint64]:
    """Return two places in `alive`, the first one below the second, and the next draw."""
    widest, next_widest, lightest, next_lightest = 0.0, 0.0, np.inf, np.inf
    for each in alive:
        next_widest = max(next_widest, min(widest, gyration[each]))
        widest = max(widest, gyration[each])
        next_lightest = min(next_lightest, max(lightest, masses[each]))
        lightest = min(lightest, masses[each])
    bound = (widest + next_widest) * (widest + next_widest) * math.sqrt(1.0 / lightest + 1.0 / next_lightest)
    while True:
        one = int(draw_uniform(key, draw) * len(alive))
        other = int(draw_uniform(key, draw + np.uint64(1)) * len(alive))
        chance = draw_uniform(key, draw + np.uint64(2))
        draw += np.uint64(3)
        if one == other:
            continue
        i, j = alive[one], alive[other]
        width = gyration[i] + gyration[j]
        if chance * bound < width * width * math.sqrt(1.0 / masses[i] + 1.0 / masses[j]):
            return min(one, other), max(one, other), draw


@kernel
def _shuffle(number: int, key: np.uint64) -> NDArray[np.int64]:
    """Return 0 … number - 1 in random order, by the first outputs of the key."""
    order = np.arange(number)
    for last in range(number - 1, 0, -1):
        other = int(draw_uniform(key, np.uint64(last)) * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order


@kernel
def _turn(
    centres: NDArray[np.float64], turns: NDArray[np.float64], members: NDArray[np.int64], turn: NDArray[np.float64]
) -> None:
    """Turn the members of a cluster around its centre of mass, in place."""
    matrix, origin = rotation_matrix(turn), np.zeros(3)
    centres[members] = transform_points(centres[members], matrix, origin)
    for member in members:
        turns[member] = multiply_quaternions(turn, turns[member])


@kernel
def _centre(
    centres: NDArray[np.float64], radii: NDArray[np.float64], members: NDArray[np.int64]
) -> tuple[float, float]:
    """Move a cluster's centre of mass to the origin, in place; return its mass and radius of gyration."""
    mass, middle = 0.0, np.zeros(3)
    for member in members:
        weight = radii[member] * radii[member] * radii[member]
        mass += weight
        middle += weight * centres[member]
    middle /= mass
    square = 0.0
    for member in members:
        centres[member] -= middle
        x, y, z = centres[member]
        weight = radii[member] * radii[member] * radii[member]
        square += weight * (x * x + y * y + z * z + SPHERE_GYRATION * radii[member] * radii[member])
    return mass, math.sqrt(square / mass)


@kernel
def measure_gyration(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> float:
    """Return the radius of gyration of spheres of equal density, centres (N, 3) in any frame and radii (N,)."""
    return _centre(centres.copy(), radii, np.arange(len(radii)))[1]
