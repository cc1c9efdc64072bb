"""Surface of any ellipsoid to float64 precision, with + - x / sqrt only."""

from __future__ import annotations

import math

_DUPLICATIONS = 24
"""Duplication steps: each halves the exponent of a large relative spread, and divides a moderate one by 4."""


def compute_ellipsoid_surface(a: float, b: float, c: float) -> float:
    """Return the area of the ellipsoid with half axes a, b, c; of a flat one both sides, 0 if two axes are 0.

    For a >= b >= c it is 4 pi a b R_G((c / a)^2, (c / b)^2, 1) with Carlson's symmetric integral (NIST DLMF 19.33.2).
    """
    c, b, a = sorted((a, b, c))
    if c == 0.0:
        return 2 * math.pi * a * b
    return 4 * math.pi * a * b * _compute_r_g((c / a) * (c / a), (c / b) * (c / b))


def _compute_r_g(x: float, y: float) -> float:
    """Return Carlson's R_G(x, y, 1) for 0 <= x <= y <= 1 (DLMF 19.21.10)."""
    return (_compute_r_f(x, y, 1.0) - (1 - x) * (1 - y) / 3 * _compute_r_d(x, y, 1.0) + math.sqrt(x) * math.sqrt(y)) / 2


def _compute_r_f(x: float, y: float, z: float) -> float:
    """Return Carlson's R_F(x, y, z) by duplication (B. C. Carlson, Numerical Algorithms 10 (1995) 13; DLMF 19.36.1)."""
    for _ in range(_DUPLICATIONS):
        shift = _compute_lambda(x, y, z)
        x, y, z = (x + shift) / 4, (y + shift) / 4, (z + shift) / 4
    mean = (x + y + z) / 3
    u, v = 1 - x / mean, 1 - y / mean
    w = -u - v
    second, third = u * v - w * w, u * v * w
    return (1 - second / 10 + third / 14) / math.sqrt(mean)


def _compute_r_d(x: float, y: float, z: float) -> float:
    """Return Carlson's R_D(x, y, z) by duplication (same sources, DLMF 19.36.2)."""
    total, factor = 0.0, 1.0
    for _ in range(_DUPLICATIONS):
        shift = _compute_lambda(x, y, z)
        total += factor / (math.sqrt(z) * (z + shift))
        factor /= 4
        x, y, z = (x + shift) / 4, (y + shift) / 4, (z + shift) / 4
    mean = (x + y + 3 * z) / 5
    u, v = 1 - x / mean, 1 - y / mean
    w = -(u + v) / 3
    second = u * v - 6 * w * w
    return 3 * total + factor * (1 - 3 * second / 14) / (mean * math.sqrt(mean))


def _compute_lambda(x: float, y: float, z: float) -> float:
    """Return lambda = sqrt(x y) + sqrt(x z) + sqrt(y z) of the duplication theorem."""
    x, y, z = math.sqrt(x), math.sqrt(y), math.sqrt(z)
    return x * y + x * z + y * z
