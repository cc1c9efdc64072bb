"""Convex polyhedra as the planes that bound them: rows (K, 4) of a unit normal and its distance from the middle."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CANDIDATES: Final = 6
"""Random directions of which the one farthest from all earlier ones is taken."""
NEAREST_PLANE, PLANE_SPREAD = 0.33, 0.17
"""Smallest distance of a random plane from the middle, and the range above it; the cube's faces are at 0.5."""
DISTANCE_DRAWS: Final = 2**40
"""First output of the seed for distances; outputs from 0 on serve directions."""


def build_box_planes() -> NDArray[np.float64]:
    """Return the planes (6, 4) of the cube of edge 1."""
    normals = np.concatenate([np.eye(3), -np.eye(3)])
    return _normalise_planes(normals, np.full(6, 0.5))


def build_octahedron_planes() -> NDArray[np.float64]:
    """Return the planes (8, 4) of the regular octahedron with corners at 1/2 on the axes."""
    normals = np.array(list(product((-1.0, 1.0), repeat=3)))
    return _normalise_planes(normals, np.full(8, 0.5))


def build_bipyramid_planes(sides: int, truncation: float) -> NDArray[np.float64]:
    """Return the planes (2 sides, 4) of the upright bipyramid of height 1, or (2 sides + 2, 4) with its tips cut off.

    The corners of its waist lie on a circle of diameter 1. `truncation` is the width of the cuts over that of the
    waist. Sines and cosines are rounded to float32.
    """
    angles = [2 * math.pi * (side + 0.5) / sides for side in range(sides)]
    inner, tip = float(np.float32(0.5 * math.cos(math.pi / sides))), 0.5 / (1 - truncation)
    units = np.array([(math.cos(angle), math.sin(angle)) for angle in angles], dtype=np.float32).astype(np.float64)
    normals = [(x * tip, y * tip, side * inner) for side in (1.0, -1.0) for x, y in units.tolist()]
    distances = [tip * inner] * (2 * sides)
    if truncation:
        normals += [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0)]
        distances += [0.5, 0.5]
    return _normalise_planes(np.array(normals), np.array(distances))


def build_prism_planes(sides: int) -> NDArray[np.float64]:
    """Return the planes (sides + 2, 4) of the upright prism of height 1 over a regular polygon.

    The polygon's corners lie on a circle of diameter 1. Sines and cosines are rounded to float32.
    """
    angles = [2 * math.pi * (side + 0.5) / sides for side in range(sides)]
    walls = [(math.cos(angle), math.sin(angle), 0.0) for angle in angles]
    normals = np.array([*walls, (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)], dtype=np.float32).astype(np.float64)
    inner = float(np.float32(0.5 * math.cos(math.pi / sides)))
    return _normalise_planes(normals, np.array([inner] * sides + [0.5, 0.5]))


def build_polyhedron_planes(faces: int, seed: int) -> NDArray[np.float64]:
    """Return the planes (faces + 6, 4) of a random convex polyhedron in the cube of edge 1, the cube's own last."""
    return np.concatenate([_draw_planes(faces, np.uint64(seed)), build_box_planes()])


def stretch_planes(planes: NDArray[np.float64], proportions: Sequence[float]) -> NDArray[np.float64]:
    """Return the planes (K, 4) after stretching by `proportions` along x, y and z: normals n / p, normalised."""
    return _normalise_planes(planes[:, :3] / np.array(proportions), planes[:, 3])


def _normalise_planes(normals: NDArray[np.float64], distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return planes (K, 4) of normals (K, 3) and n . x = distance (K,), with unit normals."""
    x, y, z = normals.T
    length = np.sqrt(x * x + y * y + z * z)
    return np.ascontiguousarray(np.column_stack([normals / length[:, None], distances / length]))


def _draw_planes(faces: int, seed: np.uint64) -> NDArray[np.float64]:
    """Return planes (faces, 4) with normals far from each other, at 0.33 to 0.5 from the middle."""
    normals = draw_spread_directions(faces, seed)
    distances = [
        NEAREST_PLANE + PLANE_SPREAD * draw_uniform(seed, np.uint64(DISTANCE_DRAWS + face)) for face in range(faces)
    ]
    return np.column_stack([normals, distances])


@kernel
def draw_spread_directions(count: int, seed: np.uint64) -> NDArray[np.float64]:
    """Return unit vectors (count, 3), each the one of CANDIDATES random ones that is farthest from all earlier ones.

    Candidates are uniform in the unit ball, normalised; draws outside it or near its centre are repeated.
    """
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
                    candidate[axis] = 2.0 * draw_uniform(seed, draw) - 1.0
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
