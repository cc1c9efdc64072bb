"""Textures from hashed lattice points: the same bits everywhere, at any place, in any order.

The hash is the finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom number generators,
OOPSLA 2014). Between lattice points values follow the quintic 6 t^5 - 15 t^4 + 10 t^3, so slopes are continuous.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numba
import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_COLUMN: Final = np.uint64(0xD1342543DE82EF95)
_LAYER: Final = np.uint64(0xDA942042E4DD58B5)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)

PLANE_NOISE_RMS: Final = 0.4524
"""Of `plane_noise`: sqrt(1/3) times the mean of s^2 + (1 - s)^2, s the quintic, 0.78355."""

SPACE_GRADIENT_RMS: Final = 1.0814
"""Of the part of `space_gradient` that lies in any one plane, per lattice step."""


@numba.njit(cache=True, inline="always")
def draw_word(key: np.uint64, index: np.uint64) -> np.uint64:
    """Return 64 random bits of a place in the stream `key`, both uint64."""
    x = key + index * _GOLDEN
    x = (x ^ (x >> _S30)) * _FIRST
    x = (x ^ (x >> _S27)) * _SECOND
    return x ^ (x >> _S31)


@numba.njit(cache=True, inline="always")
def draw_uniform(key: np.uint64, index: np.uint64) -> float:
    """Return a number in [0, 1) of a place in the stream `key`: the top 53 bits of its word."""
    return float(draw_word(key, index) >> _S11) * 2.0**-53


@numba.njit(cache=True, inline="always")
def index_lattice_point(i: int, j: int, k: int) -> np.uint64:
    """Return the place of a lattice point of space in a stream."""
    return np.uint64(i) + np.uint64(j) * _COLUMN + np.uint64(k) * _LAYER


@numba.njit(cache=True, inline="always")
def draw_lattice_value(key: np.uint64, i: int, j: int, k: int) -> float:
    """Return the value of a lattice point, in [-1, 1)."""
    return 2.0 * draw_uniform(key, index_lattice_point(i, j, k)) - 1.0


@kernel
def index_cell(i: int, j: int) -> np.uint64:
    """Index of a lattice cell for `draw_word` and `draw_uniform`; each cell has 16 draws of its own, cell + 0 … 15."""
    return (np.uint64(i) + np.uint64(j) * _COLUMN) << np.uint64(4)


@kernel
def plane_noise(key: np.uint64, x: float, y: float) -> float:
    """Smooth random field of the plane at (x, y), lattice steps; -1 … 1, rms `PLANE_NOISE_RMS`."""
    i, j = math.floor(x), math.floor(y)
    u, v = x - i, y - j
    s = u * u * u * (u * (u * 6.0 - 15.0) + 10.0)
    t = v * v * v * (v * (v * 6.0 - 15.0) + 10.0)
    a, b = draw_lattice_value(key, i, j, 0), draw_lattice_value(key, i + 1, j, 0)
    c, d = draw_lattice_value(key, i, j + 1, 0), draw_lattice_value(key, i + 1, j + 1, 0)
    low, high = a + s * (b - a), c + s * (d - c)
    return low + t * (high - low)


@kernel
def space_gradient(key: np.uint64, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Gradient of a smooth random field of space at (x, y, z), lattice steps."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    r = u * u * u * (u * (u * 6.0 - 15.0) + 10.0)
    s = v * v * v * (v * (v * 6.0 - 15.0) + 10.0)
    t = w * w * w * (w * (w * 6.0 - 15.0) + 10.0)
    a, b = draw_lattice_value(key, i, j, k), draw_lattice_value(key, i + 1, j, k)
    c, d = draw_lattice_value(key, i, j + 1, k), draw_lattice_value(key, i + 1, j + 1, k)
    e, f = draw_lattice_value(key, i, j, k + 1), draw_lattice_value(key, i + 1, j, k + 1)
    g, h = draw_lattice_value(key, i, j + 1, k + 1), draw_lattice_value(key, i + 1, j + 1, k + 1)
    ab, cd, ef, gh = a + r * (b - a), c + r * (d - c), e + r * (f - e), g + r * (h - g)
    low, high = ab + s * (cd - ab), ef + s * (gh - ef)
    across_low, across_high = (b - a) + s * ((d - c) - (b - a)), (f - e) + s * ((h - g) - (f - e))
    along_low, along_high = cd - ab, gh - ef
    dr = 30.0 * u * u * (1.0 - u) * (1.0 - u)
    ds = 30.0 * v * v * (1.0 - v) * (1.0 - v)
    dt = 30.0 * w * w * (1.0 - w) * (1.0 - w)
    return (
        dr * (across_low + t * (across_high - across_low)),
        ds * (along_low + t * (along_high - along_low)),
        dt * (high - low),
    )


@kernel
def build_fractal(
    key: np.uint64, height: int, width: int, step: float, octaves: int, gain: float
) -> NDArray[np.float32]:
    """Fractal field (height, width) of rms 1: octaves of `plane_noise`, each half as wide and `gain` times as strong.

    `step` is the first octave's lattice step in pixels; an octave of less than a pixel is left out.
    """
    field = np.zeros((height, width), dtype=np.float64)
    amplitude, power = 1.0, 0.0
    for octave in range(octaves):
        if step < 1.0:
            break
        for row in range(height):
            for column in range(width):
                field[row, column] += amplitude * plane_noise(
                    key + np.uint64(octave + 1) * _SECOND, (column + 0.5) / step, (row + 0.5) / step
                )
        power += amplitude * amplitude
        amplitude *= gain
        step *= 0.5
    if power > 0.0:
        field /= PLANE_NOISE_RMS * math.sqrt(power)
    return field.astype(np.float32)


@kernel
def draw_normals(key: np.uint64, count: int) -> NDArray[np.float32]:
    """Standard normal numbers (count,) of the stream `key`, by Box and Muller from the two halves of a word."""
    result = np.empty(count + 1, dtype=np.float32)
    for pair in range((count + 1) // 2):
        bits = draw_word(key, np.uint64(pair))
        u = (float(bits >> np.uint64(32)) + 0.5) * 2.0**-32
        angle = 2.0 * math.pi * float(bits & np.uint64(0xFFFFFFFF)) * 2.0**-32
        radius = np.float32(math.sqrt(-2.0 * float(np.float32(math.log(u)))))
        result[2 * pair] = radius * np.float32(math.cos(angle))
        result[2 * pair + 1] = radius * np.float32(math.sin(angle))
    return result[:count]
