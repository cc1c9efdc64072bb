"""Charging of the specimen: halos and streaks around particles, and the gain that drives bright pixels to white."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.techniques.imaging.blur import blur_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

STREAK_LENGTH: Final = 2.0
"""Distance over which a streak fades to about 1/e, typical particle sizes."""
STREAK_MEAN: Final = 0.6
"""Mean of the scan lines' shares of the strength."""
STREAK_DEVIATION: Final = 0.4
"""Standard deviation of the scan lines' shares of the strength."""
PARTICLE_COVERAGE: Final = 0.5
"""Coverage above which a pixel counts as a particle's."""
MIN_WHITE: Final = 1e-3
"""Lowest signal that a clipping gain drives to full white, so that a black picture has a finite gain."""


def add_halo(signal: Plane, coverage: Plane, strength: float, width: float) -> Plane:
    """Return signal + 2 strength (blurred coverage) (1 - coverage): a glow around particles, 0 on them.

    The field of a charged particle bends electrons of its neighbourhood towards or away from the detector (L. Reimer,
    Scanning Electron Microscopy, 2nd ed., 1998, section 3.5). Planes (H, W); the blur's standard deviation is `width`
    px. At a straight edge the blurred coverage is 1/2, so the glow starts there with the full `strength`.
    """
    if strength == 0:
        return signal
    return signal + np.float32(2.0 * strength) * blur_plane(coverage, width) * (np.float32(1.0) - coverage)


def add_streaks(signal: Plane, coverage: Plane, lines: Plane, strength: float, length: float) -> Plane:
    """Return the signal with streaks to the right of particles that fade over `length` px.

    The beam carries charge along the scan line (Reimer 1998, section 3.5): at each column the charge is
    c' = k c + (1 - k) coverage with k = length / (1 + length), and strength share c (1 - coverage) is added. Each line
    has its own share, from `lines` (H,) standard normal numbers. signal, coverage (H, W).
    """
    return signal if strength == 0 else _add_streaks(signal, coverage, lines, strength, length)


@kernel
def _add_streaks(
    signal: NDArray[np.float32],
    coverage: NDArray[np.float32],
    lines: NDArray[np.float32],
    strength: float,
    length: float,
) -> NDArray[np.float32]:
    result = np.empty_like(signal)
    keep = length / (1.0 + length)
    for row in range(signal.shape[0]):
        charge, share = 0.0, strength * (STREAK_MEAN + STREAK_DEVIATION * lines[row])
        for column in range(signal.shape[1]):
            result[row, column] = signal[row, column] + share * charge * (1.0 - coverage[row, column])
            charge = keep * charge + (1.0 - keep) * coverage[row, column]
    return result


def compute_clipping_gain(signal: Plane, coverage: Plane, share: float) -> float:
    """Return the gain that drives `share` (0 … 1) of the particles' pixels to full white.

    signal, coverage (H, W). Without particles all pixels count.
    """
    is_particle = coverage > PARTICLE_COVERAGE
    levels = signal[is_particle] if is_particle.any() else signal.ravel()
    index = min(int((1.0 - share) * len(levels)), len(levels) - 1)
    return 1.0 / max(float(np.partition(levels, index)[index]), MIN_WHITE)
