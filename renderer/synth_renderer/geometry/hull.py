"""Collision hulls: few vertices whose convex hull is close to a body with many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.geometry.quad_sphere import build_quad_sphere
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.mesh import Mesh

COARSE_LEVEL, FINE_LEVEL = 1, 2
"""Levels of the quad spheres whose vertices serve as directions, 6 and 3 degrees apart."""
MAX_MISSING: Final = 0.012
"""Distance that a body may stick out of the hull of its vertices, over its smallest half extent."""
MAX_BEYOND: Final = 0.01
"""Part of that distance that the margin may add, in the same unit: some of the hull then lies outside the body."""
MARGINS: Final = (0.1, 0.03)
"""Margins to try, in the same unit: a solver is fastest and most exact while bodies touch only with their margins."""
MAX_MARGIN_ERROR: Final = 0.005
"""Change of the body that a margin may make, in the same unit; a body with corners has no margin."""


@dataclass(frozen=True)
class Hull:
    """All points within `margin` of the convex hull of `points` (H, 3), in the body's frame and unit."""

    points: NDArray[np.float64]
    margin: float


def build_hull(points: NDArray[np.float64], normals: NDArray[np.float64]) -> Hull:
    """Return the convex hull of a body with vertices (V, 3) and unit normals (V, 3), to about 1 % of its radius.

    The distance of two convex bodies is the largest difference of their support functions (R. Schneider, Convex Bodies,
    2014, lemma 1.8.14), so the vertex that reaches farthest in the direction of the largest difference is added until
    the difference is small. The rest becomes part of the margin, up to MAX_BEYOND.
    """
    outermost = np.unique(compute_supports(points, build_directions(COARSE_LEVEL))[0])
    inner, margin = _remove_margin(points[outermost], normals[outermost])
    farthest, reach = compute_supports(inner, build_directions(FINE_LEVEL))
    vertices, missing = _choose_points(
        inner, build_directions(FINE_LEVEL), farthest, reach, MAX_MISSING * _compute_radius(points)
    )
    return Hull(inner[vertices], margin + min(missing, MAX_BEYOND * _compute_radius(points)))


def is_convex(mesh: Mesh, tolerance: float) -> bool:
    """Return True if no vertex lies deeper than `tolerance` below the convex hull along its normal, in mesh units."""
    _, reach = compute_supports(mesh.vertices, mesh.normals)
    x, y, z = (mesh.vertices * mesh.normals).T
    return bool((reach - (x + y + z)).max() <= tolerance)


@lru_cache(maxsize=3)
def build_directions(level: int) -> NDArray[np.float64]:
    """Return unit vectors (D, 3): the vertices of a quad sphere; cached."""
    return build_quad_sphere(level)[0]


def _compute_radius(points: NDArray[np.float64]) -> float:
    """Return the smallest half extent of points (V, 3)."""
    return float((points.max(axis=0) - points.min(axis=0)).min()) / 2


def _remove_margin(points: NDArray[np.float64], normals: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the points (V, 3) moved inwards along their normals, and the distance.

    A margin of that distance restores the body. It is 0 where every one of MARGINS would change the body too much.
    """
    radius = _compute_radius(points)
    _, reach = compute_supports(points, build_directions(COARSE_LEVEL))
    for rounding in MARGINS:
        inner = points - rounding * radius * normals
        _, inner_reach = compute_supports(inner, build_directions(COARSE_LEVEL))
        if np.abs(inner_reach + rounding * radius - reach).max() <= MAX_MARGIN_ERROR * radius:
            return inner, rounding * radius
    return points, 0.0


@kernel
def compute_supports(
    points: NDArray[np.float64], directions: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the index of the point (V, 3) that reaches farthest along each direction (D, 3), and its reach; (D,) both.

    The reach is the support function: the maximum over points p of p . d.
    """
    farthest, reach = np.zeros(len(directions), np.int64), np.empty(len(directions))
    for d in range(len(directions)):
        x, y, z = directions[d, 0], directions[d, 1], directions[d, 2]
        largest = -np.inf
        for v in range(len(points)):
            along = points[v, 0] * x + points[v, 1] * y + points[v, 2] * z
            if along > largest:
                largest = along
                farthest[d] = v
        reach[d] = largest
    return farthest, reach


@kernel
def find_points_inside(
    points: NDArray[np.float64], directions: NDArray[np.float64], reach: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return True for points (P, 3) below all planes of unit normals `directions` (D, 3) and distances `reach` (D,)."""
    inside = np.ones(len(points), np.bool_)
    for p in range(len(points)):
        for d in range(len(directions)):
            x, y, z = directions[d, 0], directions[d, 1], directions[d, 2]
            if points[p, 0] * x + points[p, 1] * y + points[p, 2] * z >= reach[d]:
                inside[p] = False
                break
    return inside


@kernel
def _choose_points(
    points: NDArray[np.float64],
    directions: NDArray[np.float64],
    farthest: NDArray[np.int64],
    reach: NDArray[np.float64],
    allowed: float,
) -> tuple[NDArray[np.int64], float]:
    """Choose points until no direction misses more than `allowed`; return their indices and the largest miss left.

    `farthest` and `reach` (D,) are the supports of all points. Each step adds the farthest point in the direction with
    the largest miss.
    """
    missing = np.full(len(directions), np.inf)
    chosen = np.empty(len(directions), np.int64)
    number = 0
    while number < len(directions):
        worst = 0
        for d in range(len(directions)):
            if missing[d] > missing[worst]:
                worst = d
        if missing[worst] <= allowed:
            break
        v = farthest[worst]
        chosen[number] = v
        number += 1
        for d in range(len(directions)):
            along = points[v, 0] * directions[d, 0] + points[v, 1] * directions[d, 1] + points[v, 2] * directions[d, 2]
            missing[d] = min(missing[d], reach[d] - along)
    return chosen[:number].copy(), max(np.max(missing), 0.0)
