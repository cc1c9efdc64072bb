"""The camera: photographic film, a scintillator with a CCD, or a direct detector of electrons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_normals
from synth_renderer.techniques.imaging.blur import blur_plane
from synth_renderer.techniques.imaging.counting import add_shot_noise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_renderer.techniques.imaging.scene_values import KeyOf

    Plane = NDArray[np.float32]


@dataclass(frozen=True)
class CameraKind:
    """How a kind of camera spreads and counts electrons; widths and levels make it look like its kind."""

    blur: float
    """Standard deviation of the light or the track of an electron, px."""
    tail: float = 0.0
    """Share of the light that spreads farther."""
    tail_blur: float = 0.0
    """Standard deviation of that share, px."""
    excess: float = 1.0
    """Variance of what an electron leaves over that of its count: the reciprocal of the detective quantum efficiency at
    low frequencies.
    """
    bend: float = 0.0
    """Mean exposure at full white, in exposures that saturate 1 - 1 / e of the response; 0 is linear."""


CAMERAS: Final[Mapping[str, CameraKind]] = {
    "none": CameraKind(blur=0.0),
    "film": CameraKind(blur=0.5, excess=1.5, bend=1.0),
    "ccd": CameraKind(blur=0.6, tail=0.35, tail_blur=2.2, excess=1.4),
    "direct": CameraKind(blur=0.3, bend=0.15),
}


def record_electrons(
    intensity: Plane, key_of: KeyOf, kind: str, electrons: float, read_noise: float = 0.0, gain_variation: float = 0.0
) -> Plane:
    """Return what the camera `kind` records of an intensity (H, W), parts of full white.

    In the order of the camera: counts, spread of what each electron leaves, gain of each pixel, noise of reading, and
    the response. Source: L. Reimer and H. Kohl, Transmission Electron Microscopy, 5th ed., 2008, chapter 4. The kind
    `none` without numbers above 0 returns `intensity` itself. Raises KeyError for an unknown kind.
    """
    camera = CAMERAS[kind]
    exposure = add_shot_noise(intensity, key_of("electrons"), electrons / camera.excess, 0.0)
    exposure = spread_light(exposure, camera.blur, camera.tail, camera.tail_blur)
    exposure = vary_gain(exposure, key_of("gain_variation"), gain_variation)
    exposure = add_read_noise(exposure, key_of("read_noise"), read_noise, electrons)
    return bend_exposure(exposure, camera.bend)


def spread_light(exposure: Plane, blur: float, tail: float, tail_blur: float) -> Plane:
    """Return (1 - tail) G(blur) + tail G(tail_blur) of an exposure (H, W), G Gaussians of that standard deviation, px.

    A scintillator and its fibre plate scatter light far beyond the pixel, so signal and noise lose contrast alike.
    """
    sharp = blur_plane(exposure, blur)
    if tail == 0:
        return sharp
    return np.asarray(np.float32(1.0 - tail) * sharp + np.float32(tail) * blur_plane(exposure, tail_blur))


def vary_gain(exposure: Plane, key: np.uint64, rms: float) -> Plane:
    """Return the exposure (H, W) times 1 + rms z of each pixel, z standard normal: what a gain reference leaves."""
    if rms == 0:
        return exposure
    return exposure * (np.float32(1.0) + np.float32(rms) * draw_normals(key, exposure.size).reshape(exposure.shape))


def add_read_noise(exposure: Plane, key: np.uint64, read_noise: float, electrons: float) -> Plane:
    """Return the exposure (H, W) plus normal noise of `read_noise` / `electrons`; none if one of them is 0.

    The noise of the amplifier does not depend on the exposure; `read_noise` in electrons of the beam, rms.
    """
    if read_noise == 0 or electrons <= 0:
        return exposure
    noise = draw_normals(key, exposure.size).reshape(exposure.shape)
    return exposure + np.float32(read_noise / electrons) * noise


def bend_exposure(exposure: Plane, bend: float) -> Plane:
    """Return (1 - exp(-b E)) / (1 - exp(-b)) of an exposure E (H, W): black and full white stay; b = 0 is linear.

    The share of the grains of an emulsion that an electron has hit follows this law, as does the share of the pixels
    of a counting detector that are occupied. The exponential is rounded to float32.
    """
    return exposure if bend == 0 else _bend_exposure(exposure, bend, float(np.float32(math.exp(-bend))))


@kernel
def _bend_exposure(exposure: NDArray[np.float32], bend: float, rest: float) -> NDArray[np.float32]:
    result = np.empty_like(exposure)
    for row in range(exposure.shape[0]):
        for column in range(exposure.shape[1]):
            hit = 1.0 - float(np.float32(math.exp(-bend * float(exposure[row, column]))))
            result[row, column] = hit / (1.0 - rest)
    return result
