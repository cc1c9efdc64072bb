"""Rotations and placements of bodies. Compiled without fastmath and without BLAS: the same bits everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies


@kernel
def rotation_matrix(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix (3, 3) of a unit quaternion w x y z."""
    w, x, y, z = quaternion
    matrix = np.empty((3, 3))
    matrix[0] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    matrix[1] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    matrix[2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    return matrix


@kernel
def multiply_matrices(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of two matrices (3, 3)."""
    result = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            result[i, j] = first[i, 0] * second[0, j] + first[i, 1] * second[1, j] + first[i, 2] * second[2, j]
    return result


@kernel
def multiply_quaternions(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit quaternion (4,) w x y z that turns by `second`, then by `first`."""
    w, x, y, z = first
    v, a, b, c = second
    result = np.empty(4)
    result[0], result[1] = w * v - x * a - y * b - z * c, w * a + x * v + y * c - z * b
    result[2], result[3] = w * b - x * c + y * v + z * a, w * c + x * b - y * a + z * v
    result /= np.sqrt((result * result).sum())
    return result


@kernel
def transform_points(
    points: NDArray[np.float64], matrix: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return matrix (3, 3) times each of `points` (V, 3), plus offset (3,)."""
    result = np.empty_like(points)
    for n in range(len(points)):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        for i in range(3):
            result[n, i] = matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2] * z + offset[i]
    return result


def compute_middle(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean (3,) of places (N, 3), the same bits on every machine."""
    return np.array([math.fsum(places[:, axis]) / len(places) for axis in range(3)])


def compute_world_vertices(bodies: Bodies, body: int) -> NDArray[np.float64]:
    """Return the vertices (V, 3) of one placed body, world frame, scene units."""
    matrix = rotation_matrix(bodies.quaternions[body]) * bodies.scales[body]
    return transform_points(bodies.meshes[bodies.mesh_index[body]].vertices, matrix, bodies.locations[body])
