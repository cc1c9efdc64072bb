"""Focus and drift of the picture: blur of what lies off the focal plane, and movement during the exposure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.techniques.base.microscope_view import COLUMN_HEIGHT
from synth_renderer.techniques.imaging.blur import blur_plane
from synth_renderer.techniques.imaging.scan import focus_beam

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

HEIGHT_REACH: Final = 3.0
"""Distance up to which a bare pixel has the height of the particles next to it, px."""
MIN_COVERAGE: Final = 1e-3
"""Blurred coverage below which a pixel lies on the ground."""
MIN_FOCUS: Final = 0.02
"""Smallest focal distance over the height of the column."""


def focus_picture(
    intensity: Plane, height: Plane, coverage: Plane, defocus: float, lens_radius: float, pixels_per_unit: float,
    beam_blur: float,
) -> Plane:  # fmt: skip
    """Return the intensity (H, W) as a lens of `lens_radius` scene units in the plane of the camera shows it.

    The lens is 51.2 units above the ground and focuses on the distance f = (1 - defocus) 51.2. A point at the distance
    d becomes a disc of radius r |d - f| / f, here a Gaussian of its variance, r / 2 along each axis. height (H, W),
    scene units, 0 on the ground, and coverage (H, W) are means over a pixel's samples. `beam_blur` px blurs all alike.
    """
    if lens_radius == 0:
        return blur_plane(intensity, beam_blur)
    focus = max(1.0 - defocus, MIN_FOCUS) * COLUMN_HEIGHT
    above = COLUMN_HEIGHT - _spread_height(height, coverage)
    distance = np.abs(above - np.float32(focus)) * np.float32(0.5 * lens_radius * pixels_per_unit / focus)
    return focus_beam(intensity, distance, beam_blur, float(distance.max()))


def _spread_height(height: Plane, coverage: Plane) -> Plane:
    """Return the height of the particles, (H, W), also at bare pixels beside them; 0 elsewhere."""
    weight = blur_plane(coverage, HEIGHT_REACH)
    spread = blur_plane(height, HEIGHT_REACH) / np.maximum(weight, np.float32(MIN_COVERAGE))
    return np.where(weight < np.float32(MIN_COVERAGE), np.float32(0.0), spread)


def smear_picture(intensity: Plane, length: float, azimuth: float) -> Plane:
    """Return the mean (H, W) of the picture on its way along a line of `length` px during the exposure.

    `azimuth` in degrees from +x (right) towards +y (up). The line's middle is the place of the labels. Values between
    pixels are interpolated, the border repeats.
    """
    if length == 0:
        return intensity
    angle = math.radians(azimuth)
    across, up = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
    return _smear_picture(intensity, length * across, -length * up, 2 * math.ceil(length) + 1)


@kernel
def _smear_picture(intensity: NDArray[np.float32], columns: float, rows: float, steps: int) -> NDArray[np.float32]:
    """Return the mean of `steps` pictures, moved from minus half of (columns, rows) px to plus half of it."""
    height, width = intensity.shape
    total = np.zeros((height, width), dtype=np.float64)
    for step in range(steps):
        part = step / (steps - 1) - 0.5
        right, down = part * columns, part * rows
        for row in range(height):
            y = min(max(row + down, 0.0), height - 1.0)
            upper = min(int(y), max(height - 2, 0))
            lower, v = min(upper + 1, height - 1), y - upper
            for column in range(width):
                x = min(max(column + right, 0.0), width - 1.0)
                left = min(int(x), max(width - 2, 0))
                other, u = min(left + 1, width - 1), x - left
                high = intensity[upper, left] + u * (intensity[upper, other] - intensity[upper, left])
                low = intensity[lower, left] + u * (intensity[lower, other] - intensity[lower, left])
                total[row, column] += high + v * (low - high)
    return (total / steps).astype(np.float32)
