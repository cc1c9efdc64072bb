"""Random rotations and directions of space. Only + - x / sqrt: the same bits everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def draw_rotation(key: np.uint64) -> NDArray[np.float64]:
    """Return a unit quaternion (4,) w x y z, uniform over all rotations."""
    return _draw_unit_vector(key, 4)


@kernel
def draw_direction(key: np.uint64) -> NDArray[np.float64]:
    """Return a unit vector (3,), uniform over the sphere."""
    return _draw_unit_vector(key, 3)


@kernel
def _draw_unit_vector(key: np.uint64, size: int) -> NDArray[np.float64]:
    """Return a unit vector (size,) of any direction: a point of the unit ball, normalised.

    Points of the cube outside the ball are drawn again, and those near its centre, where rounding counts.
    """
    result = np.empty(size)
    square, draw = 0.0, np.uint64(0)
    while square < 1e-3 or square > 1.0:
        square = 0.0
        for axis in range(size):
            result[axis] = 2.0 * draw_uniform(key, draw) - 1.0
            square += result[axis] * result[axis]
            draw += np.uint64(1)
    return result / math.sqrt(square)
