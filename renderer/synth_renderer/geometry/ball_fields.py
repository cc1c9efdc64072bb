"""The sum F of the fields of meta balls: on the points of a lattice, and its surface F = T by Newton's method."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numba
import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEWTON_STEPS: Final = 20
"""Most steps that move a vertex to the surface."""
TOLERANCE: Final = 1e-9
"""Deviation of the field at a vertex, of the threshold, at which they end."""

OUTSIDE: Final = -1
"""Number of the neighbour behind a corner of the surface."""


@kernel
def fill_layer(
    fields: NDArray[np.float64],
    totals: NDArray[np.float64],
    centres: NDArray[np.float64],
    frames: NDArray[np.float64],
    own: int,
    least: float,
    edge: float,
    first: NDArray[np.int64],
    level: int,
) -> None:
    """Write the fields of J balls and their sum at one level of the lattice, fields (Y, X, J) and totals (Y, X).

    Points where ball `own` has a scaled distance above `least` from its centre are left out: their total is NaN.
    """
    z = level * edge
    for row in range(fields.shape[0]):
        y = (first[1] + row) * edge
        for column in range(fields.shape[1]):
            x = (first[0] + column) * edge
            if _compute_square(frames[own], x - centres[own, 0], y - centres[own, 1], z - centres[own, 2]) > least:
                totals[row, column] = np.nan
                continue
            total = 0.0
            for j in range(len(centres)):
                rest = 1.0 - _compute_square(frames[j], x - centres[j, 0], y - centres[j, 1], z - centres[j, 2])
                field = 2.0 * rest * rest * rest if rest > 0.0 else 0.0
                fields[row, column, j] = field
                total += field
            totals[row, column] = total


@numba.njit(cache=True, inline="always")
def _compute_square(frame: NDArray[np.float64], x: float, y: float, z: float) -> float:
    """Return q of a ball with its `frame` (3, 3) at (x, y, z) from its centre."""
    u = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z
    v = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z
    w = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z
    return float(u * u + v * v + w * w)


@kernel
def settle_vertices(
    points: NDArray[np.float64],
    behind: NDArray[np.int64],
    settled: NDArray[np.bool_],
    centres: NDArray[np.float64],
    frames: NDArray[np.float64],
    own: int,
    threshold: float,
    edge: float,
) -> NDArray[np.float64]:
    """Move the points `settled` (V,) of points (V, 3) to F = T, in place, by Newton's method; return normals (V, 3).

    Normals are unit and outward: against the gradient of F, on a wall against that of the difference of the two fields.
    """
    normals, gradient = np.empty_like(points), np.empty(3)
    for n in range(len(points)):
        if settled[n]:
            for _ in range(NEWTON_STEPS):
                missing = threshold - _sum_fields(points[n], centres, frames, gradient)
                if abs(missing) < TOLERANCE * threshold:
                    break
                if missing > 0.5 * threshold:  # too flat here: Newton's method would step over the surface
                    gradient[:] = centres[own] - points[n]
                    missing = np.inf
                _step_along(points[n], gradient, missing, 0.2 * edge)
        if behind[n] == OUTSIDE:
            _sum_fields(points[n], centres, frames, gradient)
        else:
            gradient[:] = 0.0
            _add_gradient(points[n], centres[own], frames[own], 1.0, gradient)
            _add_gradient(points[n], centres[behind[n]], frames[behind[n]], -1.0, gradient)
        length = math.sqrt(gradient[0] * gradient[0] + gradient[1] * gradient[1] + gradient[2] * gradient[2])
        for axis in range(3):
            normals[n, axis] = -gradient[axis] / length if length > 0.0 else (1.0 if axis == 2 else 0.0)
    return normals


@kernel
def _sum_fields(
    point: NDArray[np.float64],
    centres: NDArray[np.float64],
    frames: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> float:
    """Return F at a point (3,) and write its gradient (3,)."""
    total = 0.0
    gradient[:] = 0.0
    for j in range(len(centres)):
        total += _add_gradient(point, centres[j], frames[j], 1.0, gradient)
    return total


@kernel
def _add_gradient(
    point: NDArray[np.float64],
    centre: NDArray[np.float64],
    frame: NDArray[np.float64],
    factor: float,
    gradient: NDArray[np.float64],
) -> float:
    """Return a ball's field at a point (3,) and add `factor` times its gradient to `gradient` (3,).

    With u = frame (x - c) the gradient is -12 (1 - |u|^2)^2 times the transposed frame times u.
    """
    x, y, z = point[0] - centre[0], point[1] - centre[1], point[2] - centre[2]
    u = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z
    v = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z
    w = frame[2, 0] * x + frame[2, 1] * y + frame[2, 2] * z
    rest = 1.0 - (u * u + v * v + w * w)
    if rest <= 0.0:
        return 0.0
    slope = -12.0 * factor * rest * rest
    for axis in range(3):
        gradient[axis] += slope * (frame[0, axis] * u + frame[1, axis] * v + frame[2, axis] * w)
    return float(2.0 * rest * rest * rest)


@kernel
def _step_along(point: NDArray[np.float64], gradient: NDArray[np.float64], missing: float, longest: float) -> None:
    """Move a point (3,) along the gradient by the way that adds `missing` to a linear field, at most `longest`."""
    square = gradient[0] * gradient[0] + gradient[1] * gradient[1] + gradient[2] * gradient[2]
    if square == 0.0:
        return
    share, limit = missing / square, longest / math.sqrt(square)
    share = min(max(share, -limit), limit)
    for axis in range(3):
        point[axis] += share * gradient[axis]
