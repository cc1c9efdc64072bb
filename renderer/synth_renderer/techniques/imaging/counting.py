"""Noise of the detector: counted electrons and offsets of scan lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.randomness.hashing import draw_normals
from synth_renderer.techniques.imaging.blur import blur_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

NOMINAL_NOISE_THRESHOLD: Final = 0.05
"""Value of `noise_threshold` at which `electrons` are those of a pixel."""


def count_electrons(electrons: float, noise_threshold: float) -> float:
    """Return the electrons per pixel at full white, 0 for no noise: shot noise is proportional to `noise_threshold`."""
    if noise_threshold == 0:
        return 0.0
    ratio = NOMINAL_NOISE_THRESHOLD / noise_threshold
    return electrons * ratio * ratio


def add_shot_noise(signal: Plane, key: np.uint64, electrons: float, correlation: float) -> Plane:
    """Return the signal (H, W) plus normal noise of variance signal / electrons; 0 electrons make no noise.

    Electron counts are nearly normal about their Poisson variance. `electrons` is their number per pixel at full white;
    the amplifier's bandwidth blurs the noise, with a standard deviation of `correlation` px (L. Reimer, Scanning
    Electron Microscopy, 2nd ed., 1998, section 5.2). A negative signal has no noise.
    """
    if electrons <= 0:
        return signal
    noise = draw_normals(key, signal.size).reshape(signal.shape)
    noise *= np.sqrt(np.maximum(signal, np.float32(0.0)) * np.float32(1.0 / electrons))
    return signal + blur_plane(noise, correlation)


def add_line_noise(signal: Plane, key: np.uint64, rms: float) -> Plane:
    """Return the signal (H, W) plus one normal offset of `rms` (parts of full white) for each scan line."""
    return signal if rms <= 0 else signal + np.float32(rms) * draw_normals(key, len(signal))[:, None]
