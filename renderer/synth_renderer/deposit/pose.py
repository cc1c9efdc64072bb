"""Orientations of bodies: at random, or at rest on a face or side. Only + - x / sqrt: the same bits everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def orient_downwards(down: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quaternion (4,) w x y z that turns a body's unit direction `down` (3,) to -z, then about z.

    The heading `across` is a unit vector (2,): (1, 0) does not turn, (0, 1) turns by a right angle.
    """
    # The shortest rotation from `down` to -z is about their cross product; sums of unit vectors give the half angles.
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
def draw_heading(key: np.uint64) -> NDArray[np.float64]:
    """Return a unit vector (2,), uniform over the directions of the plane; rejected points are drawn again."""
    x, y, draw = 0.0, 0.0, np.uint64(0)
    while x * x + y * y < 1e-3 or x * x + y * y > 1.0:
        x, y = 2.0 * draw_uniform(key, draw) - 1.0, 2.0 * draw_uniform(key, draw + np.uint64(1)) - 1.0
        draw += np.uint64(2)
    return np.array([x, y]) / math.sqrt(x * x + y * y)


def turn_heading(heading: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Return a heading (2,), a unit vector, turned by an angle, radians; cosine and sine are rounded to float32."""
    cosine, sine = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
    x, y = heading[0] * cosine - heading[1] * sine, heading[0] * sine + heading[1] * cosine
    return np.array([x, y]) / math.sqrt(x * x + y * y)


@kernel
def find_resting_face(planes: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal (3,) of the face on which a convex body rests after it lands with `direction` (3,) down.

    planes (K, 4): unit normal and distance from the middle. The body lands on the face that the direction pierces and
    tips over while its middle is not above that face: the face's normal then pierces another face, which is nearer.
    """
    face = _find_pierced_face(planes, direction)
    for _ in range(len(planes)):
        following = _find_pierced_face(planes, planes[face, :3])
        if planes[following, 3] >= planes[face, 3]:
            break
        face = following
    return planes[face, :3].copy()


@kernel
def _find_pierced_face(planes: NDArray[np.float64], direction: NDArray[np.float64]) -> int:
    """Return the number of the face at which a ray from the middle along `direction` leaves the body."""
    nearest, reach = 0, np.inf
    for k in range(len(planes)):
        slope = planes[k, 0] * direction[0] + planes[k, 1] * direction[1] + planes[k, 2] * direction[2]
        if slope > 0.0 and planes[k, 3] < reach * slope:
            nearest, reach = k, planes[k, 3] / slope
    return nearest
