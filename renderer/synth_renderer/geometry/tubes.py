"""Tubes: a straight rod on a grid of rings, and its sweep along a curve."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.geometry.casting import Surface
    from synth_renderer.geometry.curves import Curve

CAP_RINGS: Final = 4
"""Rings of a rounded end."""
MIN_ROUNDING: Final = 0.05
"""Rounding of the sharpest end, in half widths, so that normals turn within the ring of the edge."""


def build_tube(width: float, thickness: float, length: float, rounding: float, sides: int, rings: int) -> Surface:
    """Return points and unit normals (V, 3) of an upright rod of full extents `width` x `thickness` x `length`.

    Its ends are rounded by `rounding` (in half widths, 0 … 1, at least MIN_ROUNDING). Cosines are rounded to float32.
    The grid is that of `build_tube_triangles` with 2 CAP_RINGS + 2 + `rings` rings.
    """
    half = width / 2
    edge = min(max(rounding, MIN_ROUNDING) * half, 0.499 * length)
    arc = [math.pi / 2 * step / CAP_RINGS for step in range(CAP_RINGS + 1)]
    low = [(half - edge + edge * _sin(a), -length / 2 + edge - edge * _cos(a), _sin(a), -_cos(a)) for a in arc]
    tall = length / 2 - edge
    body = [(half, -tall + 2 * tall * (ring + 1) / (rings + 1), 1.0, 0.0) for ring in range(rings)]
    high = [(radius, -z, out, -up) for radius, z, out, up in reversed(low)]
    # The first ring of a hemispherical end would be a point.
    profile = np.array([(max(radius, 1e-3 * half), z, out, up) for radius, z, out, up in (*low, *body, *high)])
    return _turn_profile(profile, length, thickness / width, sides)


def _cos(angle: float) -> float:
    return float(np.float32(math.cos(angle)))


def _sin(angle: float) -> float:
    return float(np.float32(math.sin(angle)))


@kernel
def _turn_profile(profile: NDArray[np.float64], length: float, aspect: float, sides: int) -> Surface:
    """Turn a profile (R, 4) of radius, z and the components of the normal around z, and stretch y by `aspect`."""
    rings = len(profile)
    points, normals = np.zeros((rings * sides + 2, 3)), np.zeros((rings * sides + 2, 3))
    points[0, 2], normals[0, 2] = -0.5 * length, -1.0
    points[rings * sides + 1, 2], normals[rings * sides + 1, 2] = 0.5 * length, 1.0
    for side in range(sides):
        angle = 2.0 * math.pi * side / sides
        cosine, sine = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
        for ring in range(rings):
            v = 1 + ring * sides + side
            radius, z, out, up = profile[ring]
            points[v] = radius * cosine, radius * sine * aspect, z
            x, y = out * cosine, out * sine / aspect
            size = math.sqrt(x * x + y * y + up * up)
            normals[v] = x / size, y / size, up / size
    return points, normals


@lru_cache(maxsize=64)
def build_tube_triangles(sides: int, rings: int) -> NDArray[np.int32]:
    """Return the triangles (T, 3) of a tube with `rings` rings of `sides` vertices between its poles, read-only.

    Vertex 0 is the lower pole, 1 + ring sides + side that of a ring from below, the last one the upper pole; seen from
    outside triangles are counter-clockwise.
    """
    side = np.arange(sides)
    following = (side + 1) % sides
    starts = 1 + np.arange(rings - 1)[:, None] * sides
    a, b = starts + side, starts + following
    c, d = b + sides, a + sides
    quads = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    last = 1 + (rings - 1) * sides
    low = np.stack([np.zeros_like(side), 1 + following, 1 + side], axis=-1)
    high = np.stack([np.full_like(side, last + sides), last + side, last + following], axis=-1)
    triangles: NDArray[np.int32] = np.concatenate([low, quads, high]).astype(np.int32)
    triangles.flags.writeable = False
    return triangles


@kernel
def sweep_tube(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    length: float,
    factors: NDArray[np.float64],
    curve: Curve,
) -> None:
    """Bend an upright rod of `length` along a curve and scale it across by `factors` (N,), in place.

    points (V, 3) and normals (V, 3). A point at height z goes to the place of the curve (z + length / 2) / length of
    the way along it, x to its `across` and y to its `side`.
    """
    nodes = len(factors)
    for v in range(len(points)):
        place = min(max(points[v, 2] / length + 0.5, 0.0), 1.0) * (nodes - 1)
        k = min(math.floor(place), nodes - 2)
        t = place - k
        factor = factors[k] + t * (factors[k + 1] - factors[k])
        x, y = points[v, 0] * factor, points[v, 1] * factor
        nx, ny, nz = normals[v]
        square = 0.0
        for axis in range(3):
            across = curve.across[k, axis] + t * (curve.across[k + 1, axis] - curve.across[k, axis])
            side = curve.side[k, axis] + t * (curve.side[k + 1, axis] - curve.side[k, axis])
            along = curve.along[k, axis] + t * (curve.along[k + 1, axis] - curve.along[k, axis])
            middle = curve.points[k, axis] + t * (curve.points[k + 1, axis] - curve.points[k, axis])
            points[v, axis] = middle + x * across + y * side
            normals[v, axis] = nx * across + ny * side + nz * along
            square += normals[v, axis] * normals[v, axis]
        normals[v] /= math.sqrt(square)
