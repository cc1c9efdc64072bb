"""Few vertices whose convex hull is a body: what a collision solver needs, where a picture needs many more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.geometry.quad_sphere import quad_sphere
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.mesh import Mesh

COARSE, FINE = 1, 2
"""Levels of the quad spheres whose vertices are directions, 6 and 3 degrees apart."""
MISSING: Final = 0.012
"""How far a body may stick out of the hull of its vertices, as a share of its smallest half extent."""
BEYOND: Final = 0.01
"""How far the margin may make up for that, in the same unit: some of the hull then lies outside the body."""
ROUNDINGS: Final = (0.1, 0.03)
"""Margins to try, in the same unit: a solver is fastest and most exact while bodies touch with their margins alone."""
ROUNDING_ERROR: Final = 0.005
"""How far a margin may change the body, in the same unit; corners allow none."""


@dataclass(frozen=True)
class Hull:
    """All that is within `margin` of the convex hull of `points` (H, 3), in the body's frame and unit."""

    points: NDArray[np.float64]
    margin: float


def hull_of(points: NDArray[np.float64], normals: NDArray[np.float64]) -> Hull:
    """The convex hull of a body with vertices (V, 3) and unit normals (V, 3), within about a hundredth of its radius.

    The distance of two convex bodies is the largest difference of their support functions (R. Schneider, Convex Bodies,
    2014, lemma 1.8.14), so the vertex that reaches farthest in the direction of the largest difference is added until
    none is left. What is still missing becomes part of the margin, as far as BEYOND allows.
    """
    outermost = np.unique(supports(points, directions(COARSE))[0])
    inner, margin = _without_margin(points[outermost], normals[outermost])
    farthest, reach = supports(inner, directions(FINE))
    vertices, missing = _chosen(inner, directions(FINE), farthest, reach, MISSING * _radius(points))
    return Hull(inner[vertices], margin + min(missing, BEYOND * _radius(points)))


def is_convex(mesh: Mesh, tolerance: float) -> bool:
    """Whether no vertex lies deeper than `tolerance` below the convex hull along its normal, in the mesh's unit."""
    _, reach = supports(mesh.vertices, mesh.normals)
    x, y, z = (mesh.vertices * mesh.normals).T
    return bool((reach - (x + y + z)).max() <= tolerance)


@lru_cache(maxsize=3)
def directions(level: int) -> NDArray[np.float64]:
    """Unit vectors (D, 3): the vertices of a quad sphere."""
    return quad_sphere(level)[0]


def _radius(points: NDArray[np.float64]) -> float:
    return float((points.max(axis=0) - points.min(axis=0)).min()) / 2


def _without_margin(points: NDArray[np.float64], normals: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Points moved inwards along their normals, and how far: a margin as wide gives the body back."""
    radius = _radius(points)
    _, reach = supports(points, directions(COARSE))
    for rounding in ROUNDINGS:
        inner = points - rounding * radius * normals
        _, inner_reach = supports(inner, directions(COARSE))
        if np.abs(inner_reach + rounding * radius - reach).max() <= ROUNDING_ERROR * radius:
            return inner, rounding * radius
    return points, 0.0


@kernel
def supports(
    points: NDArray[np.float64], directions: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Index (D,) of the point (V, 3) that reaches farthest along each direction (D, 3), and how far it does (D,)."""
    farthest, reach = np.zeros(len(directions), np.int64), np.empty(len(directions))
    for d in range(len(directions)):
        x, y, z = directions[d, 0], directions[d, 1], directions[d, 2]
        most = -np.inf
        for v in range(len(points)):
            along = points[v, 0] * x + points[v, 1] * y + points[v, 2] * z
            if along > most:
                most = along
                farthest[d] = v
        reach[d] = most
    return farthest, reach


@kernel
def within(
    points: NDArray[np.float64], directions: NDArray[np.float64], reach: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which points (P, 3) lie below all planes of directions (D, 3) and distances (D,), as (P,)."""
    inside = np.ones(len(points), np.bool_)
    for p in range(len(points)):
        for d in range(len(directions)):
            x, y, z = directions[d, 0], directions[d, 1], directions[d, 2]
            if points[p, 0] * x + points[p, 1] * y + points[p, 2] * z >= reach[d]:
                inside[p] = False
                break
    return inside


@kernel
def _chosen(
    points: NDArray[np.float64],
    directions: NDArray[np.float64],
    farthest: NDArray[np.int64],
    reach: NDArray[np.float64],
    allowed: float,
) -> tuple[NDArray[np.int64], float]:
    """Indices of the chosen points and the largest difference that they leave."""
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
