"""What the surroundings do to a point's signal, from heights alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.techniques.sem_signal.blur import blurred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

SURROUNDINGS: Final = (0.12, 0.35)
"""Widths over which neighbours shadow, in typical particle sizes."""

RELIEF: Final = (0.015, 0.04)
"""Widths over which a particle's own relief shadows and shines."""


def obstruction(height: Plane, surroundings: Plane, widths: Sequence[float]) -> Plane:
    """How much the surroundings stand above each pixel: sum over widths w of max(s - height, 0) / (2.5 w).

    s is `surroundings` blurred by w: the same height, unless bodies that the camera does not see stand there too. All
    (H, W), and widths in pixels. Electrons that leave low hit what stands there (L. Reimer, Scanning Electron
    Microscopy, 2nd ed., 1998, section 6.1).
    """
    total = np.zeros_like(height)
    for width in widths:
        _add_above(total, blurred(surroundings, width), height, 1.0 / (2.5 * width))
    return total


def prominence(height: Plane, widths: Sequence[float]) -> Plane:
    """How much each pixel stands above its surroundings: height - blurred instead, at most 0.4.

    Ridges and edges emit over more than one of their faces (the same source); beyond a slope of 45 degrees nothing is
    gained.
    """
    total = np.zeros_like(height)
    for width in widths:
        _add_above(total, height, blurred(height, width), 1.0 / (2.5 * width))
    return np.minimum(total, np.float32(0.4))


@kernel
def attenuate(signal: NDArray[np.float32], obstructed: NDArray[np.float32], strength: float) -> None:
    """Multiply by exp(-strength x obstruction), (H, W) in place."""
    for row in range(signal.shape[0]):
        for column in range(signal.shape[1]):
            if obstructed[row, column] > 0.0:
                signal[row, column] *= np.float32(math.exp(-strength * obstructed[row, column]))


@kernel
def darken_with_depth(signal: NDArray[np.float32], height: NDArray[np.float32], strength: float) -> None:
    """Multiply by 1 - strength (1 - height / highest), (H, W) in place: what is nearer to the detector is brighter."""
    highest = max(height.max(), np.float32(1e-6))
    for row in range(signal.shape[0]):
        for column in range(signal.shape[1]):
            depth = 1.0 - max(height[row, column], np.float32(0.0)) / highest
            signal[row, column] *= 1.0 - strength * depth


@kernel
def _add_above(
    total: NDArray[np.float32], upper: NDArray[np.float32], lower: NDArray[np.float32], factor: float
) -> None:
    for row in range(total.shape[0]):
        for column in range(total.shape[1]):
            total[row, column] += factor * max(upper[row, column] - lower[row, column], np.float32(0.0))
