"""Bright cores that shine through dim shells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.techniques.sem_signal.blur import blurred
from synth_renderer.techniques.sem_signal.samples import sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera

SOFTNESS: Final = 0.04
"""Blur of a core's outline by the shell above it, typical particle sizes."""


def core_light(
    bodies: Bodies,
    shown: NDArray[np.bool_],
    sizes: NDArray[np.float64],
    greys: NDArray[np.float64],
    ids: NDArray[np.uint16],
    camera: Camera,
    softness: float,
) -> NDArray[np.float32]:
    """Grey (H, W) that cores add: bodies of `sizes` (N,) times their shell's extent, `greys` (N,), where ids show it.

    Electrons scattered back from a core of heavier atoms free more of them on their way out (L. Reimer, Scanning
    Electron Microscopy, 2nd ed., 1998, section 4.2.2). Zero sizes have no core. `softness` in px.
    """
    inner = replace(bodies, scales=bodies.scales * sizes[:, None])
    found = sampled(inner, shown & (sizes > 0), camera, 1).ids
    light = np.concatenate(([0.0], greys))[np.where(found == ids, found, 0)]
    return blurred(light.astype(np.float32), softness)
