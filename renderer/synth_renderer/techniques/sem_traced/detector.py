"""Model of secondary electron imaging, apart from the tracing of the electrons. Pure numpy and OpenCV.

The beam comes down the microscope's axis. A point emits secondary electrons by the cosine law, more of them the more
the surface is tilted; the detector at the side collects those that leave in accepted directions and hit nothing. Read
backwards this is a picture lit from the detector (reciprocity; L. Reimer, Scanning Electron Microscopy, 2nd ed.,
Springer 1998, chapters 4 to 6), so a tracer of light can trace it: `Acceptance` is the light, `TiltYield` the surface.
`detect_electrons` then counts electrons.

Directions and normals are in the world frame, z towards the column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from synth_renderer.techniques.imaging.counting import NOMINAL_NOISE_THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

ELECTRONS_PER_PICOCOULOMB: Final = 6.241509
"""Electrons in 1 pA for 1 µs."""

NOMINAL_ILLUMINATION: Final = 2.0
"""Illumination strength at which full white is one collected electron for every electron of the beam."""


@dataclass(frozen=True)
class TiltYield:
    """Yield over the yield of a facet that faces the beam: 1 + factor (max(cos, cutoff)^-p - 1) / (cutoff^-p - 1).

    The secondary electron yield grows like 1 / cos of the tilt (Reimer 1998, section 4.2.1); the cutoff limits the rim,
    where the escape depth no longer counts.
    """

    factor: float
    """Increase of the yield at the rim; negative darkens it."""
    cutoff: float
    """Cosine of the tilt at which growth ends, in (0, 1)."""
    exponent: float
    """p > 0."""

    def __call__(self, cos_tilt: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the yield at each cosine of the angle between surface normal and beam, any shape."""
        raised = np.maximum(cos_tilt, self.cutoff) ** -self.exponent
        return np.asarray(1.0 + self.factor * (raised - 1.0) / (self.cutoff**-self.exponent - 1.0), dtype=np.float64)


@dataclass(frozen=True)
class Acceptance:
    """Acceptance of electrons that leave in a unit direction d; 0 from below the horizon.

    exp(-(d_z / sin elevation)^2) (1 + asymmetry (d . side)): the field attracts electrons that leave at a grazing
    angle, and more of those that leave towards the detector's side.
    """

    azimuth: float
    """Direction of the detector, degrees from +x towards +y."""
    elevation: float
    """Degrees above the horizon at which acceptance is 1/e."""
    asymmetry: float
    """0 is none, 1 accepts nothing from the horizon opposite to the detector."""

    @property
    def height(self) -> float:
        """Sine of the elevation at which acceptance is 1/e."""
        return math.sin(math.radians(self.elevation))

    @property
    def side(self) -> tuple[float, float]:
        """Unit vector (x, y) towards the detector."""
        return math.cos(math.radians(self.azimuth)), math.sin(math.radians(self.azimuth))

    @property
    def scale(self) -> float:
        """Factor 4 / (integral of acceptance): a lone convex body then collects 1 on average over its surface.

        The integral over the sphere is 2 pi times that of exp(-(z / h)^2) over z from 0 to 1.
        """
        height = self.height
        return float(4.0 / (math.pi**1.5 * height * math.erf(1.0 / height)))

    def __call__(self, direction: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the acceptance (…) of unit directions (…, 3), times `scale`."""
        x, y, z = np.moveaxis(np.asarray(direction, dtype=np.float64), -1, 0)
        band = np.exp(-((z / self.height) ** 2)) * (z > 0)
        return np.asarray(self.scale * band * (1.0 + self.asymmetry * (x * self.side[0] + y * self.side[1])))


@dataclass(frozen=True)
class Electronics:
    """Beam, amplifier and digitiser."""

    illumination: float
    """Gain; see NOMINAL_ILLUMINATION."""
    electrons: float
    """Beam electrons per pixel; infinite without shot noise."""
    read_noise: float
    """Noise of the amplifier, electrons rms per pixel."""
    line_noise: float
    """Rms offset of a scan line, parts of full white."""
    noise_correlation: float
    """Standard deviation of the blur of the noise along the line by the amplifier's bandwidth, pixels."""


def compute_beam_electrons(beam_current: float, dwell_time: float, noise_threshold: float) -> float:
    """Return the beam electrons per pixel at a current in pA and a dwell time in µs; inf for a noise threshold of 0.

    Shot noise is proportional to `noise_threshold`, so electrons fall with its square.
    """
    if noise_threshold == 0:
        return math.inf
    return ELECTRONS_PER_PICOCOULOMB * beam_current * dwell_time * (NOMINAL_NOISE_THRESHOLD / noise_threshold) ** 2


def detect_electrons(collected: NDArray[np.floating[Any]], electronics: Electronics, seed: int) -> NDArray[np.uint8]:
    """Return the 8-bit grey picture (H, W) of `collected` (H, W) >= 0, electrons collected per beam electron.

    The noise depends on seed, size and signal alone. Each kind has its own stream, so that switching one off leaves the
    others unchanged.
    """
    gain = electronics.illumination / NOMINAL_ILLUMINATION
    signal = np.asarray(collected, dtype=np.float64)
    noise: NDArray[Any] = _draw_noise(signal, electronics, seed)
    if electronics.noise_correlation > 0:
        noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=electronics.noise_correlation, sigmaY=1e-6)
    lines = _create_generator(seed, "line").standard_normal((len(signal), 1)) * electronics.line_noise
    levels = 255.0 * (gain * (signal + noise) + lines)
    return np.asarray(np.clip(np.rint(levels), 0, 255), dtype=np.uint8)


def _draw_noise(signal: NDArray[np.float64], electronics: Electronics, seed: int) -> NDArray[np.float64]:
    """Return shot and read noise (H, W): electrons counted minus electrons expected, per beam electron.

    Counts are normal with their Poisson variance.
    """
    if math.isinf(electronics.electrons):
        return np.zeros_like(signal)
    shot = _create_generator(seed, "shot").standard_normal(signal.shape) * np.sqrt(signal / electronics.electrons)
    read = _create_generator(seed, "read").standard_normal(signal.shape) * (
        electronics.read_noise / electronics.electrons
    )
    return np.asarray(shot + read)


def _create_generator(seed: int, name: str) -> np.random.Generator:
    """Return numpy's Philox generator with the key (seed, name of the kind of noise)."""
    return np.random.Generator(np.random.Philox(key=[seed, int.from_bytes(name.encode(), "little")]))
