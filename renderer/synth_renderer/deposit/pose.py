"""How bodies lie: any way round, or at rest on a face or side. Only + - x / sqrt: the same bits everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def any_rotation(key: np.uint64) -> NDArray[np.float64]:
    """A quaternion w x y z, uniform over all rotations: a point of the unit ball of four dimensions, normalised."""
    result = np.empty(4)
    square, draw = 0.0, np.uint64(0)
    while square < 1e-3 or square > 1.0:
        square = 0.0
        for axis in range(4):
            result[axis] = 2.0 * uniform(key, draw) - 1.0
            square += result[axis] * result[axis]
            draw += np.uint64(1)
    return result / math.sqrt(square)


@kernel
def lying(down: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quaternion that turns the body's unit direction `down` (3,) to -z, then by the heading `across` (2,) about z.

    The heading is a unit vector: (1, 0) does not turn, (0, 1) turns by a right angle.
    """
    # The shortest way from `down` to -z turns about their cross product; half angles by sums of unit vectors.
    w = 1.0 - down[2]
    if w < 1e-9:
        tilt = np.array([0.0, 1.0, 0.0, 0.0])
    else:
        tilt = np.array([w, -down[1], down[0], 0.0])
        tilt /= math.sqrt(w * w + down[0] * down[0] + down[1] * down[1])
    cosine = math.sqrt(max(0.5 * (1.0 + across[0]), 0.0))
    sine = math.sqrt(max(0.5 * (1.0 - across[0]), 0.0))
    if across[1] < 0.0:
        sine = -sine
    w, x, y, z = tilt
    return np.array([cosine * w - sine * z, cosine * x - sine * y, cosine * y + sine * x, cosine * z + sine * w])


@kernel
def heading(key: np.uint64) -> NDArray[np.float64]:
    """A unit vector (2,) in any direction of the plane."""
    x, y, draw = 0.0, 0.0, np.uint64(0)
    while x * x + y * y < 1e-3 or x * x + y * y > 1.0:
        x, y = 2.0 * uniform(key, draw) - 1.0, 2.0 * uniform(key, draw + np.uint64(1)) - 1.0
        draw += np.uint64(2)
    return np.array([x, y]) / math.sqrt(x * x + y * y)


@kernel
def resting_face(planes: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal (3,) of the face that a convex body of `planes` (K, 4) comes to rest on when `direction` points down.

    It meets the ground with the face that the direction pierces, and tips over while its middle is not above that face:
    then the face's own normal pierces another one, which is nearer.
    """
    face = _pierced(planes, direction)
    for _ in range(len(planes)):
        following = _pierced(planes, planes[face, :3])
        if planes[following, 3] >= planes[face, 3]:
            break
        face = following
    return planes[face, :3].copy()


@kernel
def _pierced(planes: NDArray[np.float64], direction: NDArray[np.float64]) -> int:
    nearest, reach = 0, np.inf
    for k in range(len(planes)):
        slope = planes[k, 0] * direction[0] + planes[k, 1] * direction[1] + planes[k, 2] * direction[2]
        if slope > 0.0 and planes[k, 3] < reach * slope:
            nearest, reach = k, planes[k, 3] / slope
    return nearest
