"""Casting of bodies: the point of the surface along each direction from the middle, and the normal there.

Directions are unit vectors (V, 3), proportions full extents (3,) along x, y and z, planes rows (K, 4) of a unit normal
and its distance from the middle. Only + - x / sqrt in float64, compiled without fastmath: the same bits everywhere.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Surface = tuple[NDArray[np.float64], NDArray[np.float64]]
    """Points (V, 3) and outward unit normals (V, 3)."""

_NEWTON_STEPS: Final = 8
"""Newton steps to a rounded edge; they converge from outside, and the last ones change nothing."""


@kernel
def cast_ellipsoid(directions: NDArray[np.float64], proportions: NDArray[np.float64]) -> Surface:
    """Cast the ellipsoid of full extents `proportions`: x = p d / 2, normal along d / p, component by component."""
    points, normals = np.empty_like(directions), np.empty_like(directions)
    for v in range(len(directions)):
        square = 0.0
        for axis in range(3):
            points[v, axis] = 0.5 * proportions[axis] * directions[v, axis]
            normals[v, axis] = directions[v, axis] / proportions[axis]
            square += normals[v, axis] * normals[v, axis]
        normals[v] /= math.sqrt(square)
    return points, normals


@kernel
def cast_polyhedron(
    directions: NDArray[np.float64], proportions: NDArray[np.float64], planes: NDArray[np.float64], rounding: float
) -> Surface:
    """Cast the convex body of `planes` with rounded edges.

    With the planes moved inwards by `rounding`, and q the distance beyond each of them (0 inside), the surface is
    sqrt(sum of q^2) = rounding. That is a round edge where planes meet at right angles and a flatter one elsewhere.
    `proportions` spreads the directions; it does not stretch the body.
    """
    count = len(planes)
    points, normals = np.empty_like(directions), np.empty_like(directions)
    slopes, active = np.empty(count), np.empty(count, np.int64)
    for v in range(len(directions)):
        x, y, z = (
            directions[v, 0] * proportions[0],
            directions[v, 1] * proportions[1],
            directions[v, 2] * proportions[2],
        )
        # The nearest plane along the ray, and then the planes within `rounding` of that point.
        reach, first = np.inf, 0
        for k in range(count):
            slopes[k] = planes[k, 0] * x + planes[k, 1] * y + planes[k, 2] * z
            if slopes[k] > 0.0 and planes[k, 3] < reach * slopes[k]:
                reach, first = planes[k, 3] / slopes[k], k
        near = 0
        for k in range(count):
            if slopes[k] * reach > planes[k, 3] - rounding:
                active[near] = k
                near += 1
        if near < 2 or rounding == 0.0:
            points[v, 0], points[v, 1], points[v, 2] = reach * x, reach * y, reach * z
            normals[v] = planes[first, :3]
            continue
        reach = solve_rounded_reach(reach, slopes, planes, active[:near], rounding)
        points[v, 0], points[v, 1], points[v, 2] = reach * x, reach * y, reach * z
        write_rounded_normal(normals[v], reach, slopes, planes, active[:near], rounding)
    return points, normals


@kernel
def solve_rounded_reach(
    reach: float, slopes: NDArray[np.float64], planes: NDArray[np.float64], active: NDArray[np.int64], rounding: float
) -> float:
    """Return the reach at which sum of max(reach slope - distance + rounding, 0)^2 = rounding^2, by Newton's method.

    The sum is convex in the reach, so steps from the given larger reach never pass the solution. slopes (K,): rise of
    the distance along each plane's normal per reach; `active` are the numbers of the planes that count.
    """
    for _ in range(_NEWTON_STEPS):
        value, rise = -rounding * rounding, 0.0
        for k in active:
            q = reach * slopes[k] - planes[k, 3] + rounding
            if q > 0.0:
                value += q * q
                rise += 2.0 * q * slopes[k]
        if value <= 0.0 or rise <= 0.0:
            break
        reach -= value / rise
    return reach


@kernel
def write_rounded_normal(
    normal: NDArray[np.float64],
    reach: float,
    slopes: NDArray[np.float64],
    planes: NDArray[np.float64],
    active: NDArray[np.int64],
    rounding: float,
) -> None:
    """Write the unit normal (3,) of the rounded surface: the sum of the planes' normals times q, normalised."""
    normal[:] = 0.0
    for k in active:
        q = reach * slopes[k] - planes[k, 3] + rounding
        if q > 0.0:
            for axis in range(3):
                normal[axis] += q * planes[k, axis]
    normal /= math.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2])


@kernel
def cast_cylinder(directions: NDArray[np.float64], proportions: NDArray[np.float64], rounding: float) -> Surface:
    """Cast the upright cylinder of full extents `proportions`, elliptic across, with rims rounded like a polyhedron's.

    The kernel casts the round cylinder of diameter `proportions[0]`, with two planes for each direction: the tangent
    plane of the side and the nearer end. Then it stretches y.
    """
    points, normals = np.empty_like(directions), np.empty_like(directions)
    planes, slopes = np.zeros((2, 4)), np.empty(2)
    both = np.arange(2)
    half, tall = 0.5 * proportions[0], 0.5 * proportions[2]
    aspect = proportions[1] / proportions[0]
    for v in range(len(directions)):
        x, y, z = directions[v, 0] * half, directions[v, 1] * half, directions[v, 2] * tall
        across = math.sqrt(x * x + y * y)
        side = 1.0 if z >= 0.0 else -1.0
        slopes[0], slopes[1] = across, side * z
        planes[0, :3], planes[0, 3] = 0.0, half
        if across > 0.0:
            planes[0, 0], planes[0, 1] = x / across, y / across
        planes[1, 2], planes[1, 3] = side, tall
        on_side = slopes[0] * tall >= slopes[1] * half
        reach = half / slopes[0] if on_side else tall / slopes[1]
        if rounding > 0.0:
            reach = solve_rounded_reach(reach, slopes, planes, both, rounding)
            write_rounded_normal(normals[v], reach, slopes, planes, both, rounding)
        else:
            normals[v] = planes[0 if on_side else 1, :3]
        points[v, 0], points[v, 1], points[v, 2] = reach * x, reach * y * aspect, reach * z
        normals[v, 1] /= aspect
        n = normals[v]
        normals[v] /= math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
    return points, normals


@kernel
def cast_grains(
    directions: NDArray[np.float64], proportions: NDArray[np.float64], centres: NDArray[np.float64], radius: float
) -> Surface:
    """Cast grains of `radius` around `centres` (G, 3) on a core that reaches to the centres, and stretch the result.

    Before stretching by `proportions` the body has the diameter 1, so core and centres have the radius 1/2 - radius. A
    ray meets a grain at t = c . d + sqrt((c . d)^2 - |c|^2 + radius^2).
    """
    points, normals = np.empty_like(directions), np.empty_like(directions)
    core = 0.5 - radius
    for v in range(len(directions)):
        x, y, z = directions[v, 0], directions[v, 1], directions[v, 2]
        reach, outermost = core, -1
        for g in range(len(centres)):
            along = centres[g, 0] * x + centres[g, 1] * y + centres[g, 2] * z
            square = along * along - core * core + radius * radius
            if along > 0.0 and square > 0.0:
                far = along + math.sqrt(square)
                if far > reach:
                    reach, outermost = far, g
        square = 0.0
        for axis in range(3):
            points[v, axis] = reach * directions[v, axis]
            middle = centres[outermost, axis] if outermost >= 0 else 0.0
            normals[v, axis] = (points[v, axis] - middle) / proportions[axis]
            points[v, axis] *= proportions[axis]
            square += normals[v, axis] * normals[v, axis]
        normals[v] /= math.sqrt(square)
    return points, normals
