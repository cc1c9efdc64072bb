"""Speckle of amorphous matter: random places of its atoms vary the phase of the electron wave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.randomness.hashing import draw_normals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]


def draw_phase_speckle(thickness: Plane, key: np.uint64, rms: float) -> Plane:
    """Return the random part of the phase, rad, (H, W): normal and white, of the rms `rms` sqrt(thickness).

    Numbers of atoms behind a pixel follow Poisson's law if their places are random, so the variance of the phase grows
    with the thickness. The spectrum of such matter is nearly white up to the frequencies of atomic distances (D.
    Williams and C. Carter, Transmission Electron Microscopy, 2nd ed., 2009, chapter 28); the lens chooses what shows.
    `thickness` (H, W) >= 0 in any unit, `rms` at thickness 1. `rms` 0 draws nothing.
    """
    if rms == 0:
        return np.zeros_like(thickness)
    noise = draw_normals(key, thickness.size).reshape(thickness.shape)
    return np.asarray(np.float32(rms) * np.sqrt(thickness) * noise)
