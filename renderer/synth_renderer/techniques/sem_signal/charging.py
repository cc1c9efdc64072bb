"""Charge that gathers on the specimen, and what it does to the signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.techniques.sem_signal.blur import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]


def add_halo(signal: Plane, coverage: Plane, strength: float, width: float) -> None:
    """Add strength (blurred coverage) (1 - coverage) in place: a glow of `width` px around particles, 0 on them.

    The field of a charged particle bends electrons of its neighbourhood towards or away from the detector (L. Reimer,
    Scanning Electron Microscopy, 2nd ed., 1998, section 3.5). signal, coverage (H, W).
    """
    signal += np.float32(2.0 * strength) * blurred(coverage, width) * (np.float32(1.0) - coverage)


@kernel
def add_streaks(
    signal: NDArray[np.float32],
    coverage: NDArray[np.float32],
    lines: NDArray[np.float32],
    strength: float,
    reach: float,
) -> None:
    """Add to the right of particles what fades over `reach` px, in place: the charge that the beam carries along.

    Each scan line has its own share of it, `lines` (H,) standard normal numbers (Reimer 1998, section 3.5).
    """
    keep = reach / (1.0 + reach)
    for row in range(signal.shape[0]):
        charge, share = 0.0, strength * (0.6 + 0.4 * lines[row])
        for column in range(signal.shape[1]):
            signal[row, column] += share * charge * (1.0 - coverage[row, column])
            charge = keep * charge + (1.0 - keep) * coverage[row, column]


def clipping_gain(signal: Plane, coverage: Plane, share: float) -> float:
    """The gain that drives `share` (0 … 1) of the particles' pixels to full white; signal, coverage (H, W)."""
    levels = signal[coverage > 0.5] if (coverage > 0.5).any() else signal.ravel()
    place = min(int((1.0 - share) * len(levels)), len(levels) - 1)
    return 1.0 / max(float(np.partition(levels, place)[place]), 1e-3)
