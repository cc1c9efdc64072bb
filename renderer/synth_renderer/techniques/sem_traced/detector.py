"""A model of secondary electron imaging, apart from who traces the electrons' ways. Pure numpy.

The beam comes down the microscope's axis. A point emits secondary electrons by the cosine law, more of them the more
the surface is tilted; the detector at the side collects those that leave in directions it accepts and meet nothing on
their way. Read backwards this is a picture lit from the detector (reciprocity; L. Reimer, Scanning Electron
Microscopy, 2nd ed., Springer 1998, chapters 4 to 6), so whoever traces light can trace it: `Acceptance` is the light,
`TiltYield` the surface. `detect` then counts electrons.

Directions and normals are in the world frame, z towards the column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ELECTRONS_PER_PICOCOULOMB: Final = 6.241509
"""Electrons in 1 pA for 1 µs."""

NOMINAL_NOISE_THRESHOLD: Final = 0.05
"""Noise threshold at which beam current and dwell time alone set the shot noise."""

NOMINAL_ILLUMINATION: Final = 2.0
"""Illumination strength at which full white is one collected electron for every electron of the beam."""


@dataclass(frozen=True)
class TiltYield:
    """Yield over that of a facet which faces the beam: 1 + factor (max(cos, cutoff)^-p - 1) / (cutoff^-p - 1).

    The secondary electron yield grows like 1 / cos of the tilt (Reimer 1998, section 4.2.1); the cutoff, a cosine in
    (0, 1), limits the rim, where the escape depth no longer counts.
    """

    factor: float
    cutoff: float
    exponent: float

    def __call__(self, cos_tilt: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Yield at each cosine of the angle between surface normal and beam, any shape."""
        raised = np.maximum(cos_tilt, self.cutoff) ** -self.exponent
        return np.asarray(1.0 + self.factor * (raised - 1.0) / (self.cutoff**-self.exponent - 1.0), dtype=np.float64)


@dataclass(frozen=True)
class Acceptance:
    """How readily the detector takes electrons that leave in a direction d, |d| = 1; nothing from below the horizon.

    exp(-(d_z / sin elevation)^2) (1 + asymmetry (d . side)): the field draws those that leave at a grazing angle,
    and more of those that leave towards the detector's side. elevation and azimuth in degrees, azimuth from +x
    towards +y.
    """

    azimuth: float
    elevation: float
    asymmetry: float

    @property
    def height(self) -> float:
        """Sine of the elevation at which acceptance has fallen to 1/e."""
        return math.sin(math.radians(self.elevation))

    @property
    def side(self) -> tuple[float, float]:
        """Unit vector (x, y) towards the detector."""
        return math.cos(math.radians(self.azimuth)), math.sin(math.radians(self.azimuth))

    @property
    def scale(self) -> float:
        """Factor that makes what a lone convex body collects, averaged over its surface, 1: 4 / integral of acceptance.

        The integral over the sphere is 2 pi times that of exp(-(z / h)^2) over z from 0 to 1.
        """
        height = self.height
        return float(4.0 / (math.pi**1.5 * height * math.erf(1.0 / height)))

    def __call__(self, direction: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Acceptance (…) of unit directions (…, 3), times `scale`."""
        x, y, z = np.moveaxis(np.asarray(direction, dtype=np.float64), -1, 0)
        band = np.exp(-((z / self.height) ** 2)) * (z > 0)
        return np.asarray(self.scale * band * (1.0 + self.asymmetry * (x * self.side[0] + y * self.side[1])))


@dataclass(frozen=True)
class Electronics:
    """Beam, amplifier and digitiser.

    illumination: gain; electrons: beam electrons per pixel; read_noise: electrons rms per pixel; line_noise: rms
    offset of a line, parts of full white; noise_correlation: standard deviation in pixels of the blur of the noise
    along the line that the amplifier's bandwidth causes.
    """

    illumination: float
    electrons: float
    read_noise: float
    line_noise: float
    noise_correlation: float


def beam_electrons(beam_current: float, dwell_time: float, noise_threshold: float) -> float:
    """Beam electrons per pixel of a current in pA and a dwell time in µs; inf for a noise threshold of 0.

    Shot noise rises in proportion to `noise_threshold`: electrons fall with its square.
    """
    if noise_threshold == 0:
        return math.inf
    return ELECTRONS_PER_PICOCOULOMB * beam_current * dwell_time * (NOMINAL_NOISE_THRESHOLD / noise_threshold) ** 2


def detect(collected: NDArray[np.floating[Any]], electronics: Electronics, seed: int) -> NDArray[np.uint8]:
    """The 8-bit grey picture (H, W) of `collected` (H, W) >= 0, electrons collected per beam electron.

    The noise depends on seed, size and signal alone. Each kind has its own stream, so that one taken away leaves the
    others as they are.
    """
    gain = electronics.illumination / NOMINAL_ILLUMINATION
    signal = np.asarray(collected, dtype=np.float64)
    noise: NDArray[Any] = _shot_and_read_noise(signal, electronics, seed)
    if electronics.noise_correlation > 0:
        noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=electronics.noise_correlation, sigmaY=1e-6)
    lines = _stream(seed, "line").standard_normal((len(signal), 1)) * electronics.line_noise
    levels = 255.0 * (gain * (signal + noise) + lines)
    return np.asarray(np.clip(np.rint(levels), 0, 255), dtype=np.uint8)


def _shot_and_read_noise(signal: NDArray[np.float64], electronics: Electronics, seed: int) -> NDArray[np.float64]:
    """Electrons counted minus electrons expected, per beam electron; counts are normal about their Poisson variance."""
    if math.isinf(electronics.electrons):
        return np.zeros_like(signal)
    shot = _stream(seed, "shot").standard_normal(signal.shape) * np.sqrt(signal / electronics.electrons)
    read = _stream(seed, "read").standard_normal(signal.shape) * (electronics.read_noise / electronics.electrons)
    return np.asarray(shot + read)


def _stream(seed: int, name: str) -> np.random.Generator:
    """Philox keyed by seed and kind of noise."""
    return np.random.Generator(np.random.Philox(key=[seed, int.from_bytes(name.encode(), "little")]))
