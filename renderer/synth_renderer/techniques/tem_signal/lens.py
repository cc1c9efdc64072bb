"""The objective lens: its defocus and aberration turn the phase of the electron wave into contrast.

Fresnel fringes along edges and the speckle of amorphous matter are both this contrast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.fourier import find_transform_length, transform_plane
from synth_renderer.numerics.kernel import kernel
from synth_renderer.techniques.imaging.blur import blur_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

MARGIN: Final = 48
"""Least pixels beyond the picture in which its opposite borders are joined smoothly, so that neither shows fringes."""


@dataclass(frozen=True)
class Lens:
    """The objective lens and the beam that it images."""

    wavelength: float
    """Of the electrons, nm."""
    underfocus: float
    """Distance of the plane in focus from the specimen towards the source, nm: positive where the lens is too weak."""
    spherical_aberration: float = 0.0
    """Coefficient Cs, mm."""
    convergence: float = 0.0
    """Standard deviation of the direction of the illumination, mrad."""


def compute_wavelength(kilovolts: float) -> float:
    """Return the wavelength, nm, of electrons that `kilovolts` > 0 accelerate.

    h / sqrt(2 m e U (1 + e U / (2 m c^2))), m the rest mass (L. Reimer and H. Kohl, Transmission Electron Microscopy,
    5th ed., 2008, chapter 2).
    """
    volts = 1000.0 * kilovolts
    return 1.226426 / math.sqrt(volts * (1.0 + 0.97847538e-6 * volts))


def form_image(intensity: Plane, phase: Plane, lens: Lens, pixel_size: float) -> Plane:
    """Return the intensity (H, W) in the image of the wave sqrt(intensity) exp(i phase) behind the specimen.

    Each spatial frequency q of the wave gets the factor exp(-i W), W = (pi / 2) (Cs lambda^3 q^4 - 2 dz lambda q^2)
    with the underfocus dz (L. Reimer and H. Kohl, Transmission Electron Microscopy, 5th ed., 2008, chapters 3 and 6;
    D. Williams and C. Carter, Transmission Electron Microscopy, 2nd ed., 2009, chapters 23 and 28). Of a weak phase the
    image is 1 + 2 F^-1[F[phase] sin W]: dark under underfocus where it is ahead, with a bright fringe outside an edge,
    and without frequencies at which sin W is 0. Illumination from a cone blurs the image by `convergence` dz. No
    electron is lost. `intensity` is the part of the beam that passes, >= 0, `phase` in rad, both means over a pixel of
    `pixel_size` nm. A lens without defocus and aberration returns `intensity` itself.
    """
    if lens.underfocus == 0 and lens.spherical_aberration == 0:
        return intensity
    rows, columns = intensity.shape
    shape = find_transform_length(rows + MARGIN), find_transform_length(columns + MARGIN)
    area, spread = pixel_size * pixel_size, lens.underfocus * lens.wavelength
    aberration = 1e6 * lens.spherical_aberration * lens.wavelength * lens.wavelength * lens.wavelength
    wave = _build_wave(_join_borders(intensity, shape), _join_borders(phase, shape))
    real, imaginary = transform_plane(*wave)
    _shift_phases(real, imaginary, math.pi * spread / area, 0.5 * math.pi * aberration / (area * area))
    real, imaginary = transform_plane(real, imaginary, inverse=True)
    image = _measure_intensity(real, imaginary, rows, columns)
    return blur_plane(image, 1e-3 * lens.convergence * abs(lens.underfocus) / pixel_size)


def _join_borders(plane: Plane, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a plane of a larger `shape` that continues `plane` and is smooth where it repeats."""
    joined = _join_rows(plane.astype(np.float64), shape[0])
    return np.ascontiguousarray(_join_rows(np.ascontiguousarray(joined.T), shape[1]).T)


@kernel
def _join_rows(plane: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Extend (H, W) to `rows`: from the last row's mirror image to the first row's, by the cubic 3 t^2 - 2 t^3."""
    height, width = plane.shape
    result = np.empty((rows, width), dtype=np.float64)
    result[:height] = plane
    for row in range(height, rows):
        t = (row - height + 0.5) / (rows - height)
        share = t * t * (3.0 - 2.0 * t)
        above, below = max(2 * height - 1 - row, 0), min(rows - 1 - row, height - 1)
        for column in range(width):
            result[row, column] = plane[above, column] + share * (plane[below, column] - plane[above, column])
    return result


@kernel
def _build_wave(
    intensity: NDArray[np.float64], phase: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return real and imaginary part of sqrt(intensity) exp(i phase), (H, W); cos and sin are rounded to float32."""
    real, imaginary = np.empty_like(phase), np.empty_like(phase)
    for row in range(phase.shape[0]):
        for column in range(phase.shape[1]):
            amplitude = math.sqrt(max(intensity[row, column], 0.0))
            real[row, column] = amplitude * float(np.float32(math.cos(phase[row, column])))
            imaginary[row, column] = amplitude * float(np.float32(math.sin(phase[row, column])))
    return real, imaginary


@kernel
def _shift_phases(real: NDArray[np.float64], imaginary: NDArray[np.float64], defocus: float, aberration: float) -> None:
    """Multiply a transform (H, W) by exp(-i (aberration q^4 - defocus q^2)) in place, q in cycles per pixel.

    Frequencies q and -q share their factor, which is computed for one quarter of the plane.
    """
    rows, columns = real.shape
    for row in range(rows // 2 + 1):
        for column in range(columns // 2 + 1):
            y, x = row / rows, column / columns
            square = y * y + x * x
            angle = aberration * square * square - defocus * square
            c, s = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
            # In the first and the middle row or column a frequency is its own mirror image.
            for mirror_row in range(2 if 0 < 2 * row < rows else 1):
                for mirror_column in range(2 if 0 < 2 * column < columns else 1):
                    i = rows - row if mirror_row else row
                    j = columns - column if mirror_column else column
                    a, b = real[i, j], imaginary[i, j]
                    real[i, j] = a * c + b * s
                    imaginary[i, j] = b * c - a * s


@kernel
def _measure_intensity(
    real: NDArray[np.float64], imaginary: NDArray[np.float64], rows: int, columns: int
) -> NDArray[np.float32]:
    """Return the squared modulus of the first rows and columns of a wave, (rows, columns)."""
    image = np.empty((rows, columns), dtype=np.float32)
    for row in range(rows):
        for column in range(columns):
            a, b = real[row, column], imaginary[row, column]
            image[row, column] = a * a + b * b
    return image
