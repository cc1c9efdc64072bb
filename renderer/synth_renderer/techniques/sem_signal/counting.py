"""Counting electrons: shot noise and the offsets of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.randomness.hashing import normals
from synth_renderer.techniques.sem_signal.blur import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]


def add_shot_noise(signal: Plane, key: np.uint64, electrons: float, correlation: float) -> None:
    """Add normal noise of variance signal / electrons in place: counts are nearly normal about their Poisson variance.

    `electrons` per pixel at full white; the amplifier's bandwidth then blurs the noise by `correlation` px (L. Reimer,
    Scanning Electron Microscopy, 2nd ed., 1998, section 5.2). signal (H, W), negative parts have no noise.
    """
    noise = normals(key, signal.size).reshape(signal.shape)
    noise *= np.sqrt(np.maximum(signal, np.float32(0.0)) * np.float32(1.0 / electrons))
    signal += blurred(noise, correlation)


def add_line_noise(signal: Plane, key: np.uint64, rms: float) -> None:
    """Add one normal offset of `rms` to each scan line in place."""
    signal += np.float32(rms) * normals(key, len(signal))[:, None]
