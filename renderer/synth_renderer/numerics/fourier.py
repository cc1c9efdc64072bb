"""Discrete Fourier transform with the same bits on every processor: + - x in a fixed order, a table of roots of unity.

A library's transform chooses its order of sums by the processor.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Parts = tuple[NDArray[np.float64], NDArray[np.float64]]
    """Real and imaginary part, of one shape."""

RADICES: Final = (2, 3, 5)
"""Prime factors that a transform's length may have."""
BLOCK_COLUMNS: Final = 32
"""Columns that are transformed together, so that they stay in the processor's cache."""


def find_transform_length(least: int) -> int:
    """Return the smallest length >= `least` without a prime factor above 5."""
    length = least
    while not _find_factors(length):
        length += 1
    return length


def transform_plane(real: NDArray[np.float64], imaginary: NDArray[np.float64], *, inverse: bool = False) -> Parts:
    """Return the discrete Fourier transform of a complex plane (H, W), both parts (H, W) float64.

    Sum over x of f(x) exp(-2 pi i q x / n) in both directions; the inverse has the other sign and the factor
    1 / (H W). Raises ValueError for a length with a prime factor above 5. The roots of unity are rounded to float32, so
    a value is exact to about 1e-7 of the largest.
    """
    for length in real.shape:
        if not _find_factors(length):
            message = f"a transform of {length} values; its length must have no prime factor above 5"
            raise ValueError(message)
    real, imaginary = _transform_columns(real, imaginary, *_prepare(real.shape[0], inverse=inverse))
    real, imaginary = np.ascontiguousarray(real.T), np.ascontiguousarray(imaginary.T)
    real, imaginary = _transform_columns(real, imaginary, *_prepare(real.shape[0], inverse=inverse))
    scale = 1.0 / real.size if inverse else 1.0
    return np.ascontiguousarray(real.T) * scale, np.ascontiguousarray(imaginary.T) * scale


def _find_factors(length: int) -> list[int]:
    """Return the prime factors of a length, in rising order; none if one is above 5, and [1] of 1."""
    factors, rest = [], length
    for radix in RADICES:
        while rest % radix == 0:
            factors.append(radix)
            rest //= radix
    return (factors or [1]) if rest == 1 else []


def _prepare(length: int, *, inverse: bool) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return factors and roots of unity, real and imaginary part (length,), of a transform."""
    sign = 1.0 if inverse else -1.0
    angles = [2.0 * math.pi * index / length for index in range(length)]
    real = np.array([float(np.float32(math.cos(angle))) for angle in angles])
    imaginary = np.array([sign * float(np.float32(math.sin(angle))) for angle in angles])
    return np.array(_find_factors(length), dtype=np.int64), real, imaginary


@kernel
def _transform_columns(
    real: NDArray[np.float64],
    imaginary: NDArray[np.float64],
    factors: NDArray[np.int64],
    root_real: NDArray[np.float64],
    root_imaginary: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Transform the columns of a plane by Stockham's method, which needs no reversal of bits.

    C. Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992, section 1.7.
    """
    length, width = real.shape
    result_real, result_imaginary = np.empty((length, width)), np.empty((length, width))
    a, b = np.empty((length, BLOCK_COLUMNS)), np.empty((length, BLOCK_COLUMNS))
    c, d = np.empty((length, BLOCK_COLUMNS)), np.empty((length, BLOCK_COLUMNS))
    for first in range(0, width, BLOCK_COLUMNS):
        count = min(BLOCK_COLUMNS, width - first)
        for row in range(length):
            for column in range(count):
                a[row, column] = real[row, first + column]
                b[row, column] = imaginary[row, first + column]
        stride = 1
        for factor in factors:
            if factor == 2:
                _pass_twos(a, b, c, d, stride, root_real, root_imaginary)
            else:
                _pass_factor(a, b, c, d, stride, factor, root_real, root_imaginary)
            a, b, c, d = c, d, a, b
            stride *= factor
        for row in range(length):
            for column in range(count):
                result_real[row, first + column] = a[row, column]
                result_imaginary[row, first + column] = b[row, column]
    return result_real, result_imaginary


@kernel
def _pass_twos(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
    stride: int,
    root_real: NDArray[np.float64],
    root_imaginary: NDArray[np.float64],
) -> None:
    """One pass of factor 2 from (a, b), real and imaginary part, to (c, d)."""
    half = len(a) // 2
    for place in range(half // stride):
        r, s = root_real[place * stride], root_imaginary[place * stride]
        for offset in range(stride):
            low, high = offset + stride * place, offset + stride * place + half
            even, odd = offset + stride * 2 * place, offset + stride * (2 * place + 1)
            for column in range(a.shape[1]):
                x, y = a[low, column] - a[high, column], b[low, column] - b[high, column]
                c[even, column] = a[low, column] + a[high, column]
                d[even, column] = b[low, column] + b[high, column]
                c[odd, column] = x * r - y * s
                d[odd, column] = x * s + y * r


@kernel
def _pass_factor(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
    stride: int,
    factor: int,
    root_real: NDArray[np.float64],
    root_imaginary: NDArray[np.float64],
) -> None:
    """One pass of any factor from (a, b), real and imaginary part, to (c, d)."""
    length = len(a)
    part = length // factor
    for place in range(part // stride):
        for offset in range(stride):
            for output in range(factor):
                row = offset + stride * (factor * place + output)
                for column in range(a.shape[1]):
                    c[row, column] = 0.0
                    d[row, column] = 0.0
                for entry in range(factor):
                    source = offset + stride * place + part * entry
                    root = (output * entry * part + place * output * stride) % length
                    r, s = root_real[root], root_imaginary[root]
                    for column in range(a.shape[1]):
                        c[row, column] += a[source, column] * r - b[source, column] * s
                        d[row, column] += a[source, column] * s + b[source, column] * r
