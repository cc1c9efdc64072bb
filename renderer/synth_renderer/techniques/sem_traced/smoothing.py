"""Smoothing of the tracer's remaining Monte Carlo noise, without blurring the particles' outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


def smooth_picture(picture: NDArray[np.float32], ids: NDArray[np.uint16], sigma: float) -> NDArray[np.float32]:
    """Return a picture (H, W) of Gaussian means over each body's own pixels; `ids` (H, W), `sigma` in px.

    Close to outlines the mean goes across them with half the width, which keeps the tracer's anti-aliasing and
    defocus. The tracer's sampling errors are blue noise, so a narrow mean removes nearly all of it.
    """
    if sigma <= 0:
        return picture
    reach = int(np.ceil(sigma))
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near_outline = cv2.dilate(ids, square) != cv2.erode(ids, square)
    across = cv2.GaussianBlur(picture, (0, 0), sigma / 2, borderType=cv2.BORDER_REFLECT_101)
    return np.where(near_outline, across, smooth_within_bodies(picture, ids, sigma))


def smooth_within_bodies(picture: NDArray[np.float32], ids: NDArray[np.uint16], sigma: float) -> NDArray[np.float32]:
    """Return the Gaussian mean (H, W) over the pixels of a 4 sigma wide square that show the same body."""
    reach = int(np.ceil(2.0 * sigma))
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    return np.asarray(_average_within_bodies(picture, ids, np.outer(weights, weights).astype(np.float32)))


@kernel
def _average_within_bodies(
    picture: NDArray[np.float32], ids: NDArray[np.uint16], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the mean (H, W) with `weights` (2 r + 1, 2 r + 1) over the pixels of equal id; sums in float32."""
    height, width = picture.shape
    reach = len(weights) // 2
    result = np.empty_like(picture)
    for row in range(height):
        for column in range(width):
            total = total_weight = np.float32(0.0)
            for i in range(max(row - reach, 0), min(row + reach + 1, height)):
                for j in range(max(column - reach, 0), min(column + reach + 1, width)):
                    if ids[i, j] == ids[row, column]:
                        weight = weights[i - row + reach, j - column + reach]
                        total += weight * picture[i, j]
                        total_weight += weight
            result[row, column] = total / total_weight
    return result
