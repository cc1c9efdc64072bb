"""Gaussian blur, narrow by its weights and wide by boxes; beyond its border a picture goes on as it ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

NARROW: Final = 2.5
"""Pixels; a wider Gaussian is three boxes."""
THREE: Final = 0.6
"""Pixels; the weights of a narrower Gaussian are three."""
LEAST: Final = 0.15
"""Pixels; a narrower Gaussian changes nothing."""
BOXES: Final = 3


def blurred(plane: Plane, sigma: float) -> Plane:
    """`plane` (H, W) under a Gaussian of standard deviation `sigma` px in both directions.

    Above 2.5 px it is three boxes with fractional ends, of the same variance together (P. Gwosdek et al., Theoretical
    foundations of Gaussian convolution by extended box filtering, SSVM 2011), so time does not grow with sigma.
    """
    if sigma < LEAST:
        return plane
    if sigma <= NARROW:
        return _turned(_weighted(_turned(_weighted(plane, _weights(sigma))), _weights(sigma)))
    for _ in range(BOXES):
        plane = _turned(_boxed(_turned(_boxed(plane, sigma / math.sqrt(BOXES))), sigma / math.sqrt(BOXES)))
    return plane


def blurred_down(plane: Plane, sigma: float) -> Plane:
    """The same from row to row alone."""
    if sigma < LEAST:
        return plane
    return _weighted(plane, _weights(sigma)) if sigma <= NARROW else _boxed(plane, sigma)


def _turned(plane: Plane) -> Plane:
    return np.ascontiguousarray(plane.T)


def _weights(sigma: float) -> NDArray[np.float64]:
    """Weights at 0, 1, 2, … px, whose sum over both sides is 1; a narrow Gaussian by its variance."""
    if sigma < THREE:
        return np.array([1.0 - sigma * sigma, sigma * sigma / 2.0])
    reach = math.ceil(3.5 * sigma)
    weights = np.array([float(np.float32(math.exp(-0.5 * (x / sigma) * (x / sigma)))) for x in range(reach + 1)])
    return np.asarray(weights / (2.0 * weights.sum() - weights[0]))


@kernel
def _weighted(plane: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Down the columns, row by row: neighbours in memory are independent sums."""
    height, width = plane.shape
    result = np.empty_like(plane)
    total = np.empty(width, dtype=np.float64)
    for row in range(height):
        for column in range(width):
            total[column] = weights[0] * plane[row, column]
        for reach in range(1, len(weights)):
            above, below = max(row - reach, 0), min(row + reach, height - 1)
            for column in range(width):
                total[column] += weights[reach] * (np.float64(plane[above, column]) + np.float64(plane[below, column]))
        for column in range(width):
            result[row, column] = total[column]
    return result


@kernel
def _boxed(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Down the columns by a running sum of `reach` rows to each side, and a share of the next on either end."""
    height, width = plane.shape
    reach = int((math.sqrt(12.0 * sigma * sigma + 1.0) - 1.0) / 2.0)
    # The share at which the variance of the extended box is sigma^2.
    inner, outer = 2 * reach + 1, reach + 1
    share = inner * (reach * outer / 3.0 - sigma * sigma) / (2.0 * (sigma * sigma - outer * outer))
    whole = 1.0 / (inner + 2.0 * share)
    last = height - 1
    total = np.zeros(width, dtype=np.float64)
    for offset in range(-reach, reach + 1):
        row = min(max(offset, 0), last)
        for column in range(width):
            total[column] += plane[row, column]
    result = np.empty_like(plane)
    for row in range(height):
        above, below = min(max(row - outer, 0), last), min(row + outer, last)
        leaving = min(max(row - reach, 0), last)
        for column in range(width):
            ends = np.float64(plane[above, column]) + np.float64(plane[below, column])
            result[row, column] = whole * (total[column] + share * ends)
            total[column] += np.float64(plane[below, column]) - np.float64(plane[leaving, column])
    return result
