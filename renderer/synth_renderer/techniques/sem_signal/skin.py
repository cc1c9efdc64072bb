"""Rough skin of particles: a fractal field that is fixed to the particle tilts its normals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.model.transforms import rotation_matrix
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import SPACE_GRADIENT_RMS, space_gradient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera
    from synth_renderer.techniques.sem_signal.samples import Samples

MAX_OCTAVES: Final = 5
"""Octaves of the field, each with half the wavelength of the one before."""
MIN_WAVE_PIXELS: Final = 2.5
"""Shortest wavelength, pixels; a finer one cannot be seen."""


@dataclass(frozen=True)
class Skin:
    """Skins of N bodies, (N,) float64 each.

    The power of the height's spectrum falls as frequency^-b, so the slopes of octaves go like f^(2 - b / 2).
    """

    slopes: NDArray[np.float64]
    """Rms slope, height over length; 0 is smooth."""
    waves: NDArray[np.float64]
    """Longest wavelength, scene units, above 0."""
    falloffs: NDArray[np.float64]
    """Exponent b."""


def roughen_normals(samples: Samples, bodies: Bodies, skin: Skin, camera: Camera, keys: NDArray[np.uint64]) -> None:
    """Tilt the normals of `samples` in place by each body's skin; keys (N,) are the SplitMix64 keys of the skins.

    n becomes n - (g - (g . n) n), normalised: g is the gradient of the field, its part along the surface the slope.
    """
    rough = np.flatnonzero(skin.slopes > 0)
    if not len(rough):
        return
    assert camera.ortho_scale is not None
    step = camera.ortho_scale / max(samples.ids.shape)
    pixel = camera.ortho_scale / max(camera.width, camera.height)
    amplitudes, rotations = np.zeros((len(bodies), MAX_OCTAVES)), np.zeros((len(bodies), 3, 3))
    for body in rough:
        visible_ratio = float(skin.waves[body]) / (MIN_WAVE_PIXELS * pixel)
        amplitudes[body] = _compute_amplitudes(float(skin.slopes[body]), visible_ratio, float(skin.falloffs[body]))
        rotations[body] = rotation_matrix(bodies.quaternions[body])
    _roughen_samples(samples.ids, samples.height, samples.normal, amplitudes, skin.waves / 2, rotations,
                     bodies.locations, keys, step)  # fmt: skip


def _compute_amplitudes(rms: float, longest_over_shortest: float, falloff: float) -> NDArray[np.float64]:
    """Return factors (MAX_OCTAVES,) on the gradients of the octaves, whose sum then has the rms slope `rms`.

    0 for octaves too fine to be seen; `longest_over_shortest` is the longest wavelength over the shortest visible one.
    """
    seen = [octave for octave in range(MAX_OCTAVES) if longest_over_shortest >= 2**octave]
    shares = [float(np.float32(2.0 ** (octave * (2.0 - falloff / 2.0)))) for octave in seen]
    amplitudes = np.zeros(MAX_OCTAVES)
    if seen:
        amplitudes[: len(seen)] = np.array(shares) * (
            rms / (SPACE_GRADIENT_RMS * math.sqrt(sum(share * share for share in shares)))
        )
    return amplitudes


@kernel
def _roughen_samples(
    ids: NDArray[np.uint16],
    height: NDArray[np.float32],
    normal: NDArray[np.float32],
    amplitudes: NDArray[np.float64],
    lattice: NDArray[np.float64],
    rotations: NDArray[np.float64],
    locations: NDArray[np.float64],
    keys: NDArray[np.uint64],
    step: float,
) -> None:
    """Tilt `normal` (H, W, 3) in place where `ids` (H, W) show a rough body.

    height (H, W), locations (N, 3), lattice (N,) the first octave's lattice step, half a wavelength, and `step` between
    samples: scene units. amplitudes (N, octaves): factors on gradients. rotations (N, 3, 3): body to world.
    """
    rows, columns = ids.shape
    for row in range(rows):
        for column in range(columns):
            body = int(ids[row, column]) - 1
            if body < 0 or amplitudes[body, 0] == 0.0:
                continue
            x = (column + 0.5 - 0.5 * columns) * step - locations[body, 0]
            y = (0.5 * rows - row - 0.5) * step - locations[body, 1]
            z = height[row, column] - locations[body, 2]
            turn = rotations[body]
            # The field lives in the body's frame: the transposed matrix takes the point there, the matrix g back.
            u = (turn[0, 0] * x + turn[1, 0] * y + turn[2, 0] * z) / lattice[body]
            v = (turn[0, 1] * x + turn[1, 1] * y + turn[2, 1] * z) / lattice[body]
            w = (turn[0, 2] * x + turn[1, 2] * y + turn[2, 2] * z) / lattice[body]
            p, q, r = _compute_gradient(keys[body], u, v, w, amplitudes[body])
            gx = turn[0, 0] * p + turn[0, 1] * q + turn[0, 2] * r
            gy = turn[1, 0] * p + turn[1, 1] * q + turn[1, 2] * r
            gz = turn[2, 0] * p + turn[2, 1] * q + turn[2, 2] * r
            tilt_normal(normal[row, column], gx, gy, gz)


@kernel
def _compute_gradient(
    key: np.uint64, x: float, y: float, z: float, amplitudes: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Return the gradient at (x, y, z), lattice steps: the sum of octaves of `space_gradient` times `amplitudes`.

    The amplitudes are those of slopes, not of heights, so the doubled frequency brings no factor.
    """
    p, q, r, scale = 0.0, 0.0, 0.0, 1.0
    for octave in range(len(amplitudes)):
        if amplitudes[octave] == 0.0:
            break
        a, b, c = space_gradient(key + np.uint64(octave), x * scale, y * scale, z * scale)
        p, q, r = p + amplitudes[octave] * a, q + amplitudes[octave] * b, r + amplitudes[octave] * c
        scale *= 2.0
    return p, q, r


@kernel
def tilt_normal(normal: NDArray[np.float32], gx: float, gy: float, gz: float) -> None:
    """Replace the unit normal (3,) n by n - (g - (g . n) n), normalised."""
    nx, ny, nz = float(normal[0]), float(normal[1]), float(normal[2])
    along = gx * nx + gy * ny + gz * nz
    x, y, z = nx - (gx - along * nx), ny - (gy - along * ny), nz - (gz - along * nz)
    length = math.sqrt(x * x + y * y + z * z)
    normal[0], normal[1], normal[2] = x / length, y / length, z / length
