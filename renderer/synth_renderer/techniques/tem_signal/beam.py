"""The illumination: a beam that is brighter in its middle and may end within the picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

EDGE_SOFTNESS: Final = 0.02
"""Width of the edge of a beam over its radius."""


def shade_beam(
    intensity: Plane, falloff: float, radius: float = 0.0, offset: float = 0.0, azimuth: float = 0.0
) -> Plane:
    """Return the intensity (H, W) under a beam whose middle has the intensity 1.

    A spread beam has the Gaussian profile of its source, (1 - f)^(r^2 / R^2) with the distance r from its middle (L.
    Reimer and H. Kohl, Transmission Electron Microscopy, 5th ed., 2008, chapter 4); f is the `falloff`, 0 … 1, at R,
    half the picture's diagonal. The condenser's aperture ends it at `radius`, parts of the frame, 0 for none, over 2 %
    of the radius. The middle lies `offset` frames from the picture's, at the `azimuth`, degrees from +x (right) towards
    +y (up). The frame is the longer side. The exponential is rounded to float32.
    """
    if falloff == 0 and radius == 0:
        return intensity
    angle, frame = math.radians(azimuth), max(intensity.shape)
    right = offset * frame * float(np.float32(math.cos(angle)))
    up = offset * frame * float(np.float32(math.sin(angle)))
    return _shade_beam(intensity, float(np.float32(math.log(1.0 - falloff))), radius * frame, right, up)


@kernel
def _shade_beam(
    intensity: NDArray[np.float32], decay: float, radius: float, right: float, up: float
) -> NDArray[np.float32]:
    """Shade by exp(decay r^2 / R^2) and an edge at `radius`, px; the middle lies `right` and `up` px off."""
    rows, columns = intensity.shape
    result = np.empty_like(intensity)
    half_diagonal = 0.25 * (rows * rows + columns * columns)
    for row in range(rows):
        y = row + 0.5 - 0.5 * rows + up
        for column in range(columns):
            x = column + 0.5 - 0.5 * columns - right
            square = x * x + y * y
            beam = float(np.float32(math.exp(decay * square / half_diagonal)))
            if radius > 0.0:
                beam *= min(max((radius - math.sqrt(square)) / (EDGE_SOFTNESS * radius) + 0.5, 0.0), 1.0)
            result[row, column] = intensity[row, column] * beam
    return result
