"""Shadowing by the surroundings of a point, computed from heights alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.techniques.imaging.blur import blur_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

NEIGHBOUR_WIDTHS: Final = (0.12, 0.35)
"""Blur widths over which neighbours shadow, typical particle sizes; found in trials (docs/sem.md)."""
RELIEF_WIDTHS: Final = (0.015, 0.04)
"""Blur widths over which a particle's own relief shadows and shines, typical particle sizes; found in trials."""
EXTENT: Final = 2.5
"""Blur widths over which an excess of height counts as a slope; found in trials."""
MAX_PROMINENCE: Final = 0.4
"""Largest prominence: a steeper ridge is not brighter."""
MIN_HEIGHT: Final = 1e-6
"""Lowest top of a picture, pixels, so that depth is defined in a flat one."""


def shade_signal(signal: Plane, height: Plane, surroundings: Plane, widths: Sequence[float], strength: float) -> Plane:
    """Return the signal times exp(-strength o), o the obstruction by the surroundings; see `compute_obstruction`."""
    if strength <= 0:
        return signal
    return _attenuate_signal(signal, compute_obstruction(height, surroundings, widths), strength)


def brighten_ridges(signal: Plane, height: Plane, widths: Sequence[float], strength: float) -> Plane:
    """Return the signal times 1 + strength q, q the prominence; see `compute_prominence`."""
    return signal if strength <= 0 else signal * (1 + np.float32(strength) * compute_prominence(height, widths))


def darken_with_depth(signal: Plane, height: Plane, strength: float) -> Plane:
    """Return the signal times 1 - strength (1 - height / highest): points nearer to the detector are brighter.

    Planes (H, W); heights below the ground's plane count as 0.
    """
    return signal if strength <= 0 else _darken_with_depth(signal, height, strength)


def compute_obstruction(height: Plane, surroundings: Plane, widths: Sequence[float]) -> Plane:
    """Return how far the surroundings rise above each pixel: sum over widths w of max(s - height, 0) / (2.5 w).

    s is `surroundings` blurred by w: the same height, unless bodies that the camera does not see are present. All
    (H, W), heights and widths in pixels. Electrons that leave at low angles hit the surroundings (L. Reimer, Scanning
    Electron Microscopy, 2nd ed., 1998, section 6.1).
    """
    total = np.zeros_like(height)
    for width in widths:
        _add_excess(total, blur_plane(surroundings, width), height, 1.0 / (EXTENT * width))
    return total


def compute_prominence(height: Plane, widths: Sequence[float]) -> Plane:
    """Return how far each pixel rises above its surroundings: sum of max(height - blurred height, 0) / (2.5 w).

    At most `MAX_PROMINENCE`. Planes (H, W), heights and widths in pixels. Ridges and edges emit over more than one of
    their faces (Reimer 1998, section 6.1).
    """
    total = np.zeros_like(height)
    for width in widths:
        _add_excess(total, height, blur_plane(height, width), 1.0 / (EXTENT * width))
    return np.minimum(total, np.float32(MAX_PROMINENCE))


@kernel
def _attenuate_signal(
    signal: NDArray[np.float32], obstruction: NDArray[np.float32], strength: float
) -> NDArray[np.float32]:
    """Return signal exp(-strength obstruction), (H, W); the exponential is rounded to float32."""
    result = signal.copy()
    for row in range(signal.shape[0]):
        for column in range(signal.shape[1]):
            if obstruction[row, column] > 0.0:
                result[row, column] *= np.float32(math.exp(-strength * obstruction[row, column]))
    return result


@kernel
def _darken_with_depth(
    signal: NDArray[np.float32], height: NDArray[np.float32], strength: float
) -> NDArray[np.float32]:
    result = np.empty_like(signal)
    highest = max(height.max(), np.float32(MIN_HEIGHT))
    for row in range(signal.shape[0]):
        for column in range(signal.shape[1]):
            depth = 1.0 - max(height[row, column], np.float32(0.0)) / highest
            result[row, column] = signal[row, column] * (1.0 - strength * depth)
    return result


@kernel
def _add_excess(
    total: NDArray[np.float32], upper: NDArray[np.float32], lower: NDArray[np.float32], factor: float
) -> None:
    """Add factor max(upper - lower, 0) to `total`, (H, W), in place."""
    for row in range(total.shape[0]):
        for column in range(total.shape[1]):
            total[row, column] += factor * max(upper[row, column] - lower[row, column], np.float32(0.0))
