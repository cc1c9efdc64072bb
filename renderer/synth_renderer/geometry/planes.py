"""Convex polyhedra as the planes that cut them out: rows (K, 4) of a unit normal and its distance from the middle."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CANDIDATES: Final = 6
"""Directions among which the one farthest from all others is taken."""


def box_planes() -> NDArray[np.float64]:
    """Of the cube of edge 1."""
    normals = np.concatenate([np.eye(3), -np.eye(3)])
    return _planes(normals, np.full(6, 0.5))


def octahedron_planes() -> NDArray[np.float64]:
    """Of the regular octahedron with corners at 1/2 on the axes."""
    normals = np.array(list(product((-1.0, 1.0), repeat=3)))
    return _planes(normals, np.full(8, 0.5))


def prism_planes(sides: int) -> NDArray[np.float64]:
    """Of the upright prism of height 1 over the regular polygon in the circle of diameter 1."""
    angles = [2 * math.pi * (side + 0.5) / sides for side in range(sides)]
    walls = [(math.cos(angle), math.sin(angle), 0.0) for angle in angles]
    normals = np.array([*walls, (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)], dtype=np.float32).astype(np.float64)
    inner = float(np.float32(0.5 * math.cos(math.pi / sides)))
    return _planes(normals, np.array([inner] * sides + [0.5, 0.5]))


def polyhedron_planes(faces: int, seed: int) -> NDArray[np.float64]:
    """Of a random convex polyhedron in the cube of edge 1: so many planes, then the cube's own six."""
    return np.concatenate([_random_planes(faces, np.uint64(seed)), box_planes()])


def stretched(planes: NDArray[np.float64], proportions: Sequence[float]) -> NDArray[np.float64]:
    """The planes (K, 4) after stretching space along x, y and z."""
    return _planes(planes[:, :3] / np.array(proportions), planes[:, 3])


def _planes(normals: NDArray[np.float64], distances: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = normals.T
    length = np.sqrt(x * x + y * y + z * z)
    return np.ascontiguousarray(np.column_stack([normals / length[:, None], distances / length]))


def _random_planes(faces: int, seed: np.uint64) -> NDArray[np.float64]:
    """Normals far from each other, at 0.33 to 0.5 from the middle."""
    normals = spread_directions(faces, seed)
    distances = [0.33 + 0.17 * uniform(seed, np.uint64(2**40 + face)) for face in range(faces)]
    return np.column_stack([normals, distances])


@kernel
def spread_directions(count: int, seed: np.uint64) -> NDArray[np.float64]:
    """Unit vectors (count, 3), each the one of some random candidates that is farthest from all before it."""
    result = np.empty((count, 3))
    candidate = np.empty(3)
    draw = np.uint64(0)
    for place in range(count):
        nearest_of_best = 2.0
        for _ in range(CANDIDATES):
            square = 0.0
            while square < 1e-3 or square > 1.0:
                square = 0.0
                for axis in range(3):
                    candidate[axis] = 2.0 * uniform(seed, draw) - 1.0
                    square += candidate[axis] * candidate[axis]
                    draw += np.uint64(1)
            candidate /= math.sqrt(square)
            nearest = -1.0
            for other in range(place):
                cosine = 0.0
                for axis in range(3):
                    cosine += candidate[axis] * result[other, axis]
                nearest = max(nearest, cosine)
            if nearest < nearest_of_best:
                result[place], nearest_of_best = candidate, nearest
    return result
