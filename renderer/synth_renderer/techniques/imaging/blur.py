"""Gaussian blur: direct weights for a narrow one, three boxes for a wide one; the picture's border repeats outwards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

MAX_DIRECT_SIGMA: Final = 2.5
"""Pixels; a wider Gaussian is three boxes."""
MAX_THREE_WEIGHTS_SIGMA: Final = 0.6
"""Pixels; a narrower Gaussian has three weights."""
MIN_SIGMA: Final = 0.15
"""Pixels; a narrower Gaussian changes nothing."""
REACH_SIGMAS: Final = 3.5
"""Standard deviations at which the weights end; a Gaussian is 0.002 of its maximum there."""
BOXES: Final = 3


def blur_plane(plane: Plane, sigma: float) -> Plane:
    """Return `plane` (H, W) float32 under a Gaussian of standard deviation `sigma` px in both directions.

    Above 2.5 px it is three boxes with fractional ends, of the same variance together (P. Gwosdek et al., Theoretical
    foundations of Gaussian convolution by extended box filtering, SSVM 2011), so time does not grow with sigma. Both
    directions run down the columns of a plane or its transpose, where neighbours in memory are independent sums.
    """
    if sigma < MIN_SIGMA:
        return plane
    if sigma <= MAX_DIRECT_SIGMA:
        weights = _compute_weights(sigma)
        return _transpose(_convolve_columns(_transpose(_convolve_columns(plane, weights)), weights))
    # Variances of successive boxes add up.
    box_sigma = sigma / math.sqrt(BOXES)
    for _ in range(BOXES):
        plane = _transpose(_average_columns(_transpose(_average_columns(plane, box_sigma)), box_sigma))
    return plane


def _transpose(plane: Plane) -> Plane:
    return np.ascontiguousarray(plane.T)


def _compute_weights(sigma: float) -> NDArray[np.float64]:
    """Return the weights at 0, 1, 2, … px, whose sum over both sides is 1.

    Samples of the Gaussian, rounded to float32; of a narrow one 1 - sigma^2 and sigma^2 / 2, which have its variance.
    """
    if sigma < MAX_THREE_WEIGHTS_SIGMA:
        return np.array([1.0 - sigma * sigma, sigma * sigma / 2.0])
    reach = math.ceil(REACH_SIGMAS * sigma)
    weights = np.array([float(np.float32(math.exp(-0.5 * (x / sigma) * (x / sigma)))) for x in range(reach + 1)])
    return np.asarray(weights / (2.0 * weights.sum() - weights[0]))


@kernel
def _convolve_columns(plane: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Convolve the columns of a plane (H, W) with symmetric `weights` at 0, 1, 2, … px; sums in float64."""
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
def _average_columns(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Average the columns of a plane (H, W) over an extended box of standard deviation `sigma` px, by a running sum.

    The box has `reach` whole rows on each side and a `share` (0 … 1) of the next row at either end.
    """
    height, width = plane.shape
    # Largest r whose box of 2 r + 1 rows has a variance of at most sigma^2: ((2 r + 1)^2 - 1) / 12 <= sigma^2.
    reach = int((math.sqrt(12.0 * sigma * sigma + 1.0) - 1.0) / 2.0)
    # The share at which the variance of the extended box is sigma^2 (Gwosdek et al. 2011).
    inner, outer = 2 * reach + 1, reach + 1
    share = inner * (reach * outer / 3.0 - sigma * sigma) / (2.0 * (sigma * sigma - outer * outer))
    weight = 1.0 / (inner + 2.0 * share)
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
            result[row, column] = weight * (total[column] + share * ends)
            total[column] += np.float64(plane[below, column]) - np.float64(plane[leaving, column])
    return result
