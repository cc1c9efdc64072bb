"""Deep relief: how far a surface is displaced along its normal, and how that turns the normals.

Lengths relative to the particle's size. Every relief is one function of the point alone, fixed to the particle, and a
depth of 0 leaves the surface as it is. Depth and normals of the displaced mesh go into every label and picture, so
relief shadows itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.noise import field, walls

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTLINE_WAVES: Final = 2.2
"""Lattice steps of an irregular outline across the particle; the next octave has twice as many and half the height."""
FOLD_WIDTH: Final = 0.35
"""Of a wrinkle, over the distance between them."""
WALL_WIDTH: Final = 0.22
"""Of the wall between two pores, over their distance."""
RISER: Final = 0.2
"""Share of a growth step that rises."""


@kernel
def add_outline(height: NDArray[np.float64], points: NDArray[np.float64], key: np.uint64, rms: float) -> None:
    """Irregular outline: two octaves of a smooth field, of mean 0 and the given rms over the points."""
    outline = np.empty(len(points))
    mean, square = 0.0, 0.0
    for v in range(len(points)):
        x, y, z = points[v, 0] * OUTLINE_WAVES, points[v, 1] * OUTLINE_WAVES, points[v, 2] * OUTLINE_WAVES
        outline[v] = field(key, x, y, z) + 0.5 * field(key + np.uint64(1), 2.0 * x, 2.0 * y, 2.0 * z)
        mean += outline[v]
        square += outline[v] * outline[v]
    mean /= len(points)
    strength = rms / math.sqrt(square / len(points) - mean * mean)
    for v in range(len(points)):
        height[v] += strength * (outline[v] - mean)


@kernel
def add_wrinkles(
    height: NDArray[np.float64], points: NDArray[np.float64], key: np.uint64, depth: float, scale: float
) -> None:
    """Folds where a smooth, warped field passes through 0: depth (1 - |f| / w)^2 below the surface."""
    for v in range(len(points)):
        x, y, z = points[v, 0] / scale, points[v, 1] / scale, points[v, 2] / scale
        x += field(key + np.uint64(1), 0.7 * x, 0.7 * y, 0.7 * z)
        z += field(key + np.uint64(2), 0.7 * x, 0.7 * y, 0.7 * z)
        for octave in range(2):
            f = abs(field(key + np.uint64(3 + octave), x, y, z)) / FOLD_WIDTH
            if f < 1.0:
                height[v] -= depth * (1.0 - f) * (1.0 - f) / (1.0 + octave)
            x, y, z = 1.9 * x, 1.9 * y, 1.9 * z


@kernel
def add_pores(
    height: NDArray[np.float64], points: NDArray[np.float64], key: np.uint64, depth: float, scale: float
) -> None:
    """Honeycomb: level floors at `depth` between walls, t^2 (3 - 2 t) from the one to the other."""
    for v in range(len(points)):
        t = walls(key, points[v, 0] / scale, points[v, 1] / scale, points[v, 2] / scale) / (2.0 * WALL_WIDTH)
        t = min(t, 1.0)
        height[v] -= depth * t * t * (3.0 - 2.0 * t)


@kernel
def add_steps(
    height: NDArray[np.float64], points: NDArray[np.float64], key: np.uint64, depth: float, number: float
) -> None:
    """Growth steps: terraces that sink slowly by `depth` and rise at once, along contours of a tilted smooth field."""
    for v in range(len(points)):
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        way = 0.55 * x + 0.35 * y + 0.76 * z + 0.5 * field(key, 1.5 * x, 1.5 * y, 1.5 * z)
        t = number * way
        t -= math.floor(t)
        height[v] -= depth * (t / (1.0 - RISER) if t < 1.0 - RISER else (1.0 - t) / RISER)


@kernel
def add_flutes(
    height: NDArray[np.float64],
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    depth: float,
    number: int,
) -> None:
    """Hollow flutes along z with sharp ridges between them: depth 4 t (1 - t), t the place in a flute; none on ends."""
    for v in range(len(points)):
        angle = float(np.float32(math.atan2(points[v, 1], points[v, 0])))
        t = angle * number / (2.0 * math.pi)
        t -= math.floor(t)
        height[v] -= depth * 4.0 * t * (1.0 - t) * (1.0 - normals[v, 2] * normals[v, 2])


@kernel
def displaced(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    triangles: NDArray[np.int32],
    height: NDArray[np.float64],
    proportions: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points moved outwards by `height` (V,), and normals turned against its slope.

    Outwards is along the normals of the ellipsoid of full extents `proportions` through each point: a field without
    edges, so that no edge frays. The slope is that of linear elements on the ideal body's triangles, averaged by area.
    """
    slope, area, normal = np.zeros_like(points), np.zeros(len(points)), np.empty(3)
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        square = nx * nx + ny * ny + nz * nz
        if square == 0.0:
            continue
        rise, climb = height[b] - height[a], height[c] - height[a]
        ux, uy, uz = rise * vx - climb * ux, rise * vy - climb * uy, rise * vz - climb * uz
        size = math.sqrt(square)
        gx, gy, gz = (uy * nz - uz * ny) / size, (uz * nx - ux * nz) / size, (ux * ny - uy * nx) / size
        for corner in (a, b, c):
            area[corner] += size
            slope[corner, 0] += gx
            slope[corner, 1] += gy
            slope[corner, 2] += gz
    moved, turned = np.empty_like(points), np.empty_like(points)
    for v in range(len(points)):
        across, square = 0.0, 0.0
        for axis in range(3):
            slope[v, axis] /= max(area[v], 1e-300)
            across += slope[v, axis] * normals[v, axis]
            normal[axis] = points[v, axis] / (proportions[axis] * proportions[axis])
            square += normal[axis] * normal[axis]
        way = height[v] / math.sqrt(square)
        square = 0.0
        for axis in range(3):
            moved[v, axis] = points[v, axis] + way * normal[axis]
            turned[v, axis] = normals[v, axis] * (1.0 + across) - slope[v, axis]
            square += turned[v, axis] * turned[v, axis]
        turned[v] /= math.sqrt(square)
    return moved, turned
