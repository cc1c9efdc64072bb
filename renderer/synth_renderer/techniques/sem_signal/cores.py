"""Bright cores that shine through dim shells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.techniques.imaging.blur import blur_plane
from synth_renderer.techniques.sem_signal.samples import sample_surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera

    Plane = NDArray[np.float32]

SOFTNESS: Final = 0.04
"""Blur of a core's outline by the shell above it, typical particle sizes."""


def add_cores(
    signal: Plane,
    bodies: Bodies,
    shown: NDArray[np.bool_],
    sizes: NDArray[np.float64],
    levels: NDArray[np.float64],
    ids: NDArray[np.uint16],
    camera: Camera,
    particle_size: float,
) -> Plane:
    """Return the signal (H, W) with the light of the cores of the bodies `shown` (N,), where `ids` (H, W) show them.

    Electrons scattered back from a core of heavier atoms free more of them on their way out (L. Reimer, Scanning
    Electron Microscopy, 2nd ed., 1998, section 4.2.2). A core is its body shrunk to `sizes` (N,) of the body's extent,
    0 is none, with the grey `levels` (N,); `particle_size` in px.
    """
    if not sizes.any():
        return signal
    cores = replace(bodies, scales=bodies.scales * sizes[:, None])
    core_ids = sample_surface(cores, shown & (sizes > 0), camera, 1).ids
    grey = np.concatenate(([0.0], levels))[np.where(core_ids == ids, core_ids, 0)]
    return signal + blur_plane(grey.astype(np.float32), SOFTNESS * particle_size)
