"""Taking leftover Monte Carlo noise out of a traced picture without touching the particles' outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


def smooth(picture: NDArray[np.float32], ids: NDArray[np.uint16], sigma: float) -> NDArray[np.float32]:
    """Mean over each body's own pixels, and close to outlines a narrower one across them, picture and ids (H, W).

    The tracer's sampling errors are blue noise, of which a narrow mean takes nearly all. Outlines keep the tracer's
    anti-aliasing and defocus. sigma in pixels.
    """
    if sigma <= 0:
        return picture
    reach = int(np.ceil(sigma))
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near_outline = cv2.dilate(ids, square) != cv2.erode(ids, square)
    across = cv2.GaussianBlur(picture, (0, 0), sigma / 2, borderType=cv2.BORDER_REFLECT_101)
    return np.where(near_outline, across, smooth_within(picture, ids, sigma))


def smooth_within(picture: NDArray[np.float32], ids: NDArray[np.uint16], sigma: float) -> NDArray[np.float32]:
    """Gaussian mean over the pixels of a 4 sigma wide square that show the same body, picture and ids (H, W)."""
    reach = int(np.ceil(2.0 * sigma))
    steps = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (steps / sigma) ** 2)
    return np.asarray(_smooth(picture, ids, np.outer(kernel, kernel).astype(np.float32)))


@kernel
def _smooth(picture: NDArray[np.float32], ids: NDArray[np.uint16], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = picture.shape
    reach = len(kernel) // 2
    result = np.empty_like(picture)
    for row in range(height):
        for column in range(width):
            total = weight = np.float32(0.0)
            for i in range(max(row - reach, 0), min(row + reach + 1, height)):
                for j in range(max(column - reach, 0), min(column + reach + 1, width)):
                    if ids[i, j] == ids[row, column]:
                        share = kernel[i - row + reach, j - column + reach]
                        total += share * picture[i, j]
                        weight += share
            result[row, column] = total / weight
    return result
