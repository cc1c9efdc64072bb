"""The surface of any ellipsoid, exactly, with + - x / sqrt only."""

from __future__ import annotations

import math

_DUPLICATIONS = 14
"""Each one shrinks the relative spread by 4; the remaining series is of fifth order, so this reaches float64."""


def ellipsoid_surface(a: float, b: float, c: float) -> float:
    """Area of the ellipsoid with half axes a, b, c; 0 when two of them are 0.

    S = 4 pi R_G(a^2 b^2, a^2 c^2, b^2 c^2) with Carlson's symmetric integral (NIST DLMF 19.33.2).
    """
    z, y, x = sorted(((a * b) ** 2, (a * c) ** 2, (b * c) ** 2), reverse=True)
    if y == 0.0:  # at least one half axis is 0: both sides of a flat disc
        return 2 * math.pi * math.sqrt(z)
    return 4 * math.pi * _r_g(x, y, z)


def _r_g(x: float, y: float, z: float) -> float:
    """R_G for 0 <= x <= y <= z, y > 0 (DLMF 19.21.10, written around the largest argument)."""
    return (z * _r_f(x, y, z) - (x - z) * (y - z) / 3 * _r_d(x, y, z) + math.sqrt(x) * math.sqrt(y) / math.sqrt(z)) / 2


def _r_f(x: float, y: float, z: float) -> float:
    """R_F by duplication (B. C. Carlson, Numerical Algorithms 10 (1995) 13, and DLMF 19.36.1)."""
    for _ in range(_DUPLICATIONS):
        step = _step(x, y, z)
        x, y, z = (x + step) / 4, (y + step) / 4, (z + step) / 4
    mean = (x + y + z) / 3
    u, v = 1 - x / mean, 1 - y / mean
    w = -u - v
    second, third = u * v - w * w, u * v * w
    return (1 - second / 10 + third / 14) / math.sqrt(mean)


def _r_d(x: float, y: float, z: float) -> float:
    """R_D by duplication (same sources, DLMF 19.36.2)."""
    total, factor = 0.0, 1.0
    for _ in range(_DUPLICATIONS):
        step = _step(x, y, z)
        total += factor / (math.sqrt(z) * (z + step))
        factor /= 4
        x, y, z = (x + step) / 4, (y + step) / 4, (z + step) / 4
    mean = (x + y + 3 * z) / 5
    u, v = 1 - x / mean, 1 - y / mean
    w = -(u + v) / 3
    second = u * v - 6 * w * w
    return 3 * total + factor * (1 - 3 * second / 14) / (mean * math.sqrt(mean))


def _step(x: float, y: float, z: float) -> float:
    x, y, z = math.sqrt(x), math.sqrt(y), math.sqrt(z)
    return x * y + x * z + y * z
