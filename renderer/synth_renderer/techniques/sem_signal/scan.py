"""The beam's width and focus, and lines that do not lie where they should."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import VALUE_RMS, value
from synth_renderer.techniques.sem_signal.blur import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

DRIFT_LINES: Final = 40.0
"""Lines after which drift has forgotten where it was."""

FOCUS_LEVELS: Final = 4
"""Blurs between which each pixel's own is taken."""


def focused(signal: Plane, off_focus: Plane, beam: float, defocus: float) -> Plane:
    """Blur by sqrt(beam^2 + (defocus t / t_max)^2) px, t = off_focus (H, W) >= 0 the distance from the focal plane.

    The beam's profile is Gaussian; away from focus it widens in proportion to the distance (L. Reimer, Scanning
    Electron Microscopy, 2nd ed., 1998, section 2.4). Pixels mix the two nearest of four blurs.
    """
    farthest = float(off_focus.max())
    if farthest == 0 or defocus < 0.25 * max(beam, 0.5):
        return blurred(signal, beam)
    levels = [blurred(signal, _joined(beam, defocus * n / (FOCUS_LEVELS - 1))) for n in range(FOCUS_LEVELS)]
    return _mixed(np.stack(levels), off_focus, (FOCUS_LEVELS - 1) / farthest)


def _joined(first: float, second: float) -> float:
    return math.sqrt(first * first + second * second)


@kernel
def _mixed(levels: NDArray[np.float32], off_focus: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    result = np.empty_like(off_focus)
    last = len(levels) - 2
    for row in range(off_focus.shape[0]):
        for column in range(off_focus.shape[1]):
            place = off_focus[row, column] * scale
            level = min(int(place), last)
            part = min(place - level, 1.0)
            near, far = levels[level, row, column], levels[level + 1, row, column]
            result[row, column] = near + part * (far - near)
    return result


@kernel
def drifted(signal: NDArray[np.float32], key: np.uint64, rms: float) -> NDArray[np.float32]:
    """Each line moved along itself by a slow random field of `rms` px, as stage and column drift while they scan."""
    height, width = signal.shape
    result = np.empty_like(signal)
    for row in range(height):
        shift = rms / VALUE_RMS * value(key, row / DRIFT_LINES, 0.5)
        for column in range(width):
            place = min(max(column + shift, 0.0), width - 1.0)
            left = min(int(place), width - 2)
            part = place - left
            result[row, column] = signal[row, left] + part * (signal[row, left + 1] - signal[row, left])
    return result
