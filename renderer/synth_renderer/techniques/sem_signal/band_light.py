"""The band of light of `sem_aggregate` as the signal model's detector: by reciprocity it is where electrons go.

The band stands upright around the specimen: radius r, half height b, its middle at the height `location` over the
middle of the volume. Seen from the ground, electrons get away below the elevation e of its upper edge, tan e =
(location + b + h) / r, h the height of the middle over the ground. Angles are in radians.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

NOMINAL_LOCATION: Final = 20.0
"""Height of the band at which shadows are those of `shadowing`, scene units."""
NOMINAL_STRENGTH: Final = 2.0
"""Strength of the illumination at which the grey is that of `gain`."""
RADIUS: Final = 192.0
"""r, scene units."""
HALF_HEIGHT: Final = 96.0
"""b, scene units."""
HALF_DEPTH: Final = 25.6
"""h, half the height of the measurement volume, scene units."""


def compute_slope(location: float) -> float:
    """Return tan e of a band at the height `location`, scene units, above -HALF_HEIGHT - HALF_DEPTH."""
    return (location + HALF_HEIGHT + HALF_DEPTH) / RADIUS


def deepen_shadows(strength: float, location: float) -> float:
    """Return the strength of a shadow under a band at `location`: an obstacle of a slope s stops what leaves below s.

    So s counts over tan e, and the strength grows by tan e at NOMINAL_LOCATION over that at `location`.
    """
    return strength * (compute_slope(NOMINAL_LOCATION) / compute_slope(location))


def tilt_detector(asymmetry: float, azimuth: float, rotation: float, location: float) -> tuple[float, float]:
    """Return asymmetry and azimuth (degrees) of a detector whose band is turned about y by `rotation`; 0 is off.

    The upper edge is then at e - rotation cos(phi) in the direction phi. To first order, a facet of the normal n gets
    n_z - n_x rotation / tan^2 e of what a level one gets (Lambert's law, integrated over the band). The asymmetry is at
    most 1; the azimuth is rounded to float32.
    """
    if rotation == 0:
        return asymmetry, azimuth
    angle, slope = math.radians(azimuth), compute_slope(location)
    x = asymmetry * float(np.float32(math.cos(angle))) - rotation / (slope * slope)
    y = asymmetry * float(np.float32(math.sin(angle)))
    return min(math.sqrt(x * x + y * y), 1.0), float(np.float32(math.degrees(math.atan2(y, x))))
