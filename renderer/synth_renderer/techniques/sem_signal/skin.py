"""A rough skin: normals tilted by a fractal field that is fixed to the particle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.model.transforms import rotation_matrix
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import SLOPE_RMS, slope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera
    from synth_renderer.techniques.sem_signal.samples import Samples

MOST_OCTAVES: Final = 5
SHORTEST: Final = 2.5
"""Shortest wave, pixels; a finer one cannot be seen."""


@dataclass(frozen=True)
class Skin:
    """Skins of N bodies, (N,) each: rms slope (0 is smooth), longest wave and size in scene units, falloff.

    The power of the height's spectrum falls with `falloff` b of frequency, so slopes of octaves go like f^(2 - b / 2).
    """

    slopes: NDArray[np.float64]
    waves: NDArray[np.float64]
    falloffs: NDArray[np.float64]


def roughened(samples: Samples, bodies: Bodies, skin: Skin, camera: Camera, keys: NDArray[np.uint64]) -> None:
    """Tilt the normals of `samples` in place by each body's skin; keys (N,) are its streams.

    n becomes n - (g - (g . n) n), made unit: g is the gradient of the field, its part along the surface the slope.
    """
    rough = np.flatnonzero(skin.slopes > 0)
    if not len(rough):
        return
    assert camera.ortho_scale is not None
    step = camera.ortho_scale / max(samples.ids.shape)
    pixel = camera.ortho_scale / max(camera.width, camera.height)
    amplitudes, rotations = np.zeros((len(bodies), MOST_OCTAVES)), np.zeros((len(bodies), 3, 3))
    for body in rough:
        amplitudes[body] = _amplitudes(float(skin.slopes[body]), float(skin.waves[body]) / (SHORTEST * pixel),
                                       float(skin.falloffs[body]))  # fmt: skip
        rotations[body] = rotation_matrix(bodies.quaternions[body])
    _roughen(samples.ids, samples.height, samples.normal, amplitudes, skin.waves / 2, rotations, bodies.locations, keys,
             step)  # fmt: skip


def _amplitudes(rms: float, longest_over_shortest: float, falloff: float) -> NDArray[np.float64]:
    """Factors (MOST_OCTAVES,) on each octave's gradient, 0 for waves too short to be seen; rms of all `rms`."""
    seen = [octave for octave in range(MOST_OCTAVES) if longest_over_shortest >= 2**octave]
    shares = [float(np.float32(2.0 ** (octave * (2.0 - falloff / 2.0)))) for octave in seen]
    amplitudes = np.zeros(MOST_OCTAVES)
    if seen:
        amplitudes[: len(seen)] = np.array(shares) * (
            rms / (SLOPE_RMS * math.sqrt(sum(share * share for share in shares)))
        )
    return amplitudes


@kernel
def _roughen(
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
            u = (turn[0, 0] * x + turn[1, 0] * y + turn[2, 0] * z) / lattice[body]
            v = (turn[0, 1] * x + turn[1, 1] * y + turn[2, 1] * z) / lattice[body]
            w = (turn[0, 2] * x + turn[1, 2] * y + turn[2, 2] * z) / lattice[body]
            p, q, r = _gradient(keys[body], u, v, w, amplitudes[body])
            gx = turn[0, 0] * p + turn[0, 1] * q + turn[0, 2] * r
            gy = turn[1, 0] * p + turn[1, 1] * q + turn[1, 2] * r
            gz = turn[2, 0] * p + turn[2, 1] * q + turn[2, 2] * r
            _tilt(normal[row, column], gx, gy, gz)


@kernel
def _gradient(
    key: np.uint64, x: float, y: float, z: float, amplitudes: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Sum of octaves whose slopes, not heights, have the amplitudes."""
    p, q, r, scale = 0.0, 0.0, 0.0, 1.0
    for octave in range(len(amplitudes)):
        if amplitudes[octave] == 0.0:
            break
        a, b, c = slope(key + np.uint64(octave), x * scale, y * scale, z * scale)
        p, q, r = p + amplitudes[octave] * a, q + amplitudes[octave] * b, r + amplitudes[octave] * c
        scale *= 2.0
    return p, q, r


@kernel
def _tilt(normal: NDArray[np.float32], gx: float, gy: float, gz: float) -> None:
    nx, ny, nz = float(normal[0]), float(normal[1]), float(normal[2])
    along = gx * nx + gy * ny + gz * nz
    x, y, z = nx - (gx - along * nx), ny - (gy - along * ny), nz - (gz - along * nz)
    length = math.sqrt(x * x + y * y + z * z)
    normal[0], normal[1], normal[2] = x / length, y / length, z / length
