"""The scanning beam: its width and focus, and the drift of its lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import PLANE_NOISE_RMS, plane_noise
from synth_renderer.techniques.imaging.blur import blur_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

DRIFT_LINES: Final = 40.0
"""Scan lines over which the drift loses its memory."""
FOCUS_LEVELS: Final = 4
"""Blurs of the whole picture; each pixel mixes the two nearest to its own."""
MIN_DEFOCUS: Final = 0.25
"""Defocus over the beam's width, below which one blur serves the whole picture."""
MIN_BEAM: Final = 0.5
"""Smallest width of the beam in that comparison, pixels."""


def measure_focal_distance(height: Plane, focus_height: float) -> Plane:
    """Return the distance of each pixel from the focal plane, px, >= 0; height (H, W) in px.

    `focus_height` is the height of the focal plane over the highest point of the picture.
    """
    return np.asarray(np.abs(height - np.float32(focus_height * float(height.max()))))


def focus_beam(signal: Plane, distance: Plane, beam: float, defocus: float) -> Plane:
    """Return the signal blurred by sqrt(beam^2 + (defocus t / t_max)^2) px, t = `distance` from the focal plane.

    The beam's profile is Gaussian; away from focus it widens in proportion to the distance (L. Reimer, Scanning
    Electron Microscopy, 2nd ed., 1998, section 2.4). Planes (H, W). Pixels mix the two nearest of four blurs.
    """
    farthest = float(distance.max())
    if farthest == 0 or defocus < MIN_DEFOCUS * max(beam, MIN_BEAM):
        return blur_plane(signal, beam)
    sigmas = [_add_in_quadrature(beam, defocus * level / (FOCUS_LEVELS - 1)) for level in range(FOCUS_LEVELS)]
    blurs = np.stack([blur_plane(signal, sigma) for sigma in sigmas])
    return _mix_levels(blurs, distance, (FOCUS_LEVELS - 1) / farthest)


def _add_in_quadrature(first: float, second: float) -> float:
    return math.sqrt(first * first + second * second)


@kernel
def _mix_levels(levels: NDArray[np.float32], distance: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Interpolate between `levels` (L, H, W) at level `scale` x distance of each pixel, (H, W)."""
    result = np.empty_like(distance)
    last = len(levels) - 2
    for row in range(distance.shape[0]):
        for column in range(distance.shape[1]):
            place = distance[row, column] * scale
            level = min(int(place), last)
            part = min(place - level, 1.0)
            near, far = levels[level, row, column], levels[level + 1, row, column]
            result[row, column] = near + part * (far - near)
    return result


def drift_lines(signal: Plane, key: np.uint64, rms: float) -> Plane:
    """Return the signal (H, W) with each line moved along itself by a slow random field of `rms` px.

    Stage and column drift during the scan. Values between pixels are interpolated, the border repeats.
    """
    return signal if rms <= 0 else _drift_lines(signal, key, rms)


@kernel
def _drift_lines(signal: NDArray[np.float32], key: np.uint64, rms: float) -> NDArray[np.float32]:
    height, width = signal.shape
    result = np.empty_like(signal)
    for row in range(height):
        shift = rms / PLANE_NOISE_RMS * plane_noise(key, row / DRIFT_LINES, 0.5)
        for column in range(width):
            place = min(max(column + shift, 0.0), width - 1.0)
            left = min(int(place), width - 2)
            part = place - left
            result[row, column] = signal[row, left] + part * (signal[row, left + 1] - signal[row, left])
    return result
