"""Deep relief: displacement of a surface along its normal, with the normals of the displaced surface.

Lengths are relative to the particle's size. Each `add_…` adds one relief to height (V,), the displacement of points
(V, 3), in place; it depends on the point alone and is fixed to the particle. Labels and pictures use depth and normals
of the displaced mesh, so relief shadows itself. `space_noise` is a smooth random field with one lattice step per unit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_word
from synth_renderer.randomness.noise import space_noise, wall_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.geometry.shape_features import Features

OUTLINE_WAVES: Final = 2.2
"""Lattice steps of an irregular outline per particle size; the next octave has twice as many and half the height."""
FOLD_WIDTH: Final = 0.35
"""Value of the field at which a fold ends on either side of its middle, w."""
FOLD_WARP: Final = 0.7
"""Lattice steps of the field that warps the folds, per step of the folds' own field."""
FOLD_RATIO: Final = 1.9
"""Lattice steps of the second octave of folds, per step of the first."""
WALL_WIDTH: Final = 0.22
"""Width of the wall between two pores over the distance of the pores."""
RISER_SHARE: Final = 0.2
"""Share of a growth step that rises."""
STEP_DIRECTION: Final = (0.55, 0.35, 0.76)
"""Direction in which growth steps follow each other, about a unit vector."""
STEP_WARP: Final = 0.5
"""Displacement of the steps by a smooth field, particle sizes."""
STEP_WAVES: Final = 1.5
"""Lattice steps of that field per particle size."""

MIN_AREA: Final = 1e-300
"""Divisor for vertices of triangles without area only."""


def compute_relief(
    points: NDArray[np.float64], normals: NDArray[np.float64], features: Features
) -> NDArray[np.float64] | None:
    """Return the displacement (V,) of each point (V, 3), particle sizes; None if all are 0.

    Each kind of relief has its own key, an output of `shape_seed`.
    """
    values = {name: float(value) for name, value in features.items()}  # type: ignore[arg-type]
    height = np.zeros(len(points))
    seed = np.uint64(int(values["shape_seed"]))
    keys = [np.uint64(draw_word(seed, np.uint64(kind))) for kind in range(4)]
    if values["irregularity"]:
        add_outline(height, points, keys[0], values["irregularity"])
    if values["wrinkle_depth"]:
        add_wrinkles(height, points, keys[1], values["wrinkle_depth"], values["wrinkle_scale"])
    if values["pore_depth"]:
        add_pores(height, points, keys[2], values["pore_depth"], values["pore_scale"])
    if values["step_depth"]:
        add_steps(height, points, keys[3], values["step_depth"], values["step_number"])
    if values.get("flute_depth"):
        add_flutes(height, points, normals, values["flute_depth"], int(values["flute_number"]))
    return height if height.any() else None


@kernel
def add_outline(height: NDArray[np.float64], points: NDArray[np.float64], key: np.uint64, rms: float) -> None:
    """Add an irregular outline: two octaves of a smooth field, with mean 0 and the given rms over the points."""
    outline = np.empty(len(points))
    mean, square = 0.0, 0.0
    for v in range(len(points)):
        x, y, z = points[v, 0] * OUTLINE_WAVES, points[v, 1] * OUTLINE_WAVES, points[v, 2] * OUTLINE_WAVES
        outline[v] = space_noise(key, x, y, z) + 0.5 * space_noise(key + np.uint64(1), 2.0 * x, 2.0 * y, 2.0 * z)
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
    """Add folds where a smooth, warped field f passes through 0: -depth (1 - |f| / w)^2 for |f| < w.

    `scale` is the field's lattice step. A second octave is finer by FOLD_RATIO and half as deep.
    """
    for v in range(len(points)):
        x, y, z = points[v, 0] / scale, points[v, 1] / scale, points[v, 2] / scale
        x += space_noise(key + np.uint64(1), FOLD_WARP * x, FOLD_WARP * y, FOLD_WARP * z)
        z += space_noise(key + np.uint64(2), FOLD_WARP * x, FOLD_WARP * y, FOLD_WARP * z)
        for octave in range(2):
            f = abs(space_noise(key + np.uint64(3 + octave), x, y, z)) / FOLD_WIDTH
            if f < 1.0:
                height[v] -= depth * (1.0 - f) * (1.0 - f) / (1.0 + octave)
            x, y, z = FOLD_RATIO * x, FOLD_RATIO * y, FOLD_RATIO * z


@kernel
def add_pores(
    height: NDArray[np.float64], points: NDArray[np.float64], key: np.uint64, depth: float, scale: float
) -> None:
    """Add a honeycomb of pores about `scale` apart: level floors at -depth between walls, -depth t^2 (3 - 2 t).

    t is the distance from the middle of the nearest wall over the wall's width, at most 1.
    """
    for v in range(len(points)):
        t = wall_distance(key, points[v, 0] / scale, points[v, 1] / scale, points[v, 2] / scale) / (2.0 * WALL_WIDTH)
        t = min(t, 1.0)
        height[v] -= depth * t * t * (3.0 - 2.0 * t)


@kernel
def add_steps(
    height: NDArray[np.float64], points: NDArray[np.float64], key: np.uint64, depth: float, number: float
) -> None:
    """Add `number` growth steps per particle size: terraces that sink slowly by `depth` and rise on a short riser.

    They follow the contours of a tilted plane that a smooth field warps.
    """
    for v in range(len(points)):
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        place = STEP_DIRECTION[0] * x + STEP_DIRECTION[1] * y + STEP_DIRECTION[2] * z
        place += STEP_WARP * space_noise(key, STEP_WAVES * x, STEP_WAVES * y, STEP_WAVES * z)
        t = number * place
        t -= math.floor(t)
        height[v] -= depth * (t / (1.0 - RISER_SHARE) if t < 1.0 - RISER_SHARE else (1.0 - t) / RISER_SHARE)


@kernel
def add_flutes(
    height: NDArray[np.float64],
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    depth: float,
    number: int,
) -> None:
    """Add `number` hollow flutes along z with sharp ridges between them: -depth 4 t (1 - t), t = 0 … 1 across a flute.

    The factor 1 - n_z^2 leaves the ends of a rod level; normals (V, 3).
    """
    for v in range(len(points)):
        angle = float(np.float32(math.atan2(points[v, 1], points[v, 0])))
        t = angle * number / (2.0 * math.pi)
        t -= math.floor(t)
        height[v] -= depth * 4.0 * t * (1.0 - t) * (1.0 - normals[v, 2] * normals[v, 2])


@kernel
def displace_surface(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    triangles: NDArray[np.int32],
    height: NDArray[np.float64],
    proportions: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points (V, 3) moved outwards by `height` (V,), and unit normals (V, 3) turned against its slope.

    Outwards is along the normals of the ellipsoid of full extents `proportions` through each point: a direction without
    jumps, so edges do not fray. With g the slope of the height the new normal is n (1 + g . n) - g, normalised.
    """
    slope, normal = _compute_slopes(points, triangles, height), np.empty(3)
    moved, turned = np.empty_like(points), np.empty_like(points)
    for v in range(len(points)):
        along, square = 0.0, 0.0
        for axis in range(3):
            along += slope[v, axis] * normals[v, axis]
            normal[axis] = points[v, axis] / (proportions[axis] * proportions[axis])
            square += normal[axis] * normal[axis]
        step = height[v] / math.sqrt(square)
        square = 0.0
        for axis in range(3):
            moved[v, axis] = points[v, axis] + step * normal[axis]
            turned[v, axis] = normals[v, axis] * (1.0 + along) - slope[v, axis]
            square += turned[v, axis] * turned[v, axis]
        turned[v] /= math.sqrt(square)
    return moved, turned


@kernel
def _compute_slopes(
    points: NDArray[np.float64], triangles: NDArray[np.int32], height: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the gradient (V, 3) of `height` (V,) along the surface: linear elements, averaged by the triangles' area.

    On a triangle with edges u, v, normal n = u x v and height differences a along u and b along v the gradient is
    (a v - b u) x n / |n|^2.
    """
    slope, area = np.zeros_like(points), np.zeros(len(points))
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        square = nx * nx + ny * ny + nz * nz
        if square == 0.0:
            continue
        rise_u, rise_v = height[b] - height[a], height[c] - height[a]
        ux, uy, uz = rise_u * vx - rise_v * ux, rise_u * vy - rise_v * uy, rise_u * vz - rise_v * uz
        # Twice the triangle's area, and its gradient times that.
        size = math.sqrt(square)
        gx, gy, gz = (uy * nz - uz * ny) / size, (uz * nx - ux * nz) / size, (ux * ny - uy * nx) / size
        for corner in (a, b, c):
            area[corner] += size
            slope[corner, 0] += gx
            slope[corner, 1] += gy
            slope[corner, 2] += gz
    for v in range(len(points)):
        for axis in range(3):
            slope[v, axis] /= max(area[v], MIN_AREA)
    return slope
