"""Meshes of the shapes: the ideal body cast on a sphere grid, then displaced by its relief."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_api.prototypes.geometries import SHAPES
from synth_renderer.geometry import relief
from synth_renderer.geometry.bending import bend_rod, compute_curvature
from synth_renderer.geometry.casting import cast_ellipsoid
from synth_renderer.geometry.fibres import FIBRE, build_fibre, choose_tube_fineness
from synth_renderer.geometry.parts import (
    BodyPart,
    add_cavity,
    build_decoration,
    build_inclusion,
    compute_cavity_scale,
    cut_opening,
)
from synth_renderer.geometry.plates import add_waves
from synth_renderer.geometry.shape_features import read_number
from synth_renderer.geometry.solids import SOLIDS
from synth_renderer.geometry.sphere_grid import build_sphere_grid, choose_fineness
from synth_renderer.model.mesh import Mesh
from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_api.prototypes.feature import FeatureValue
    from synth_renderer.geometry.shape_features import Features
    from synth_renderer.geometry.solids import Proportions

QUADS_PER_PIXEL: Final = 0.48
"""Quads along an edge of the grid, per pixel of the particle's extent: at most about 1.6 pixels each.

The extent is the geometric mean of the two larger ones: all quads of a rod's circumference lie on its thinner side.
"""
DEFAULT_SEGMENTS: Final = 24
"""Quads along an edge of the grid where the picture has no scale (perspective)."""


@dataclass(frozen=True)
class Shape:
    """Everything that a mesh depends on except its size; equal shapes share one mesh."""

    prototype: str
    proportions: Proportions
    """Full extents of the ideal body whose product is 1."""
    segments: int
    """Quads along an edge of the sphere grid."""
    features: tuple[tuple[str, FeatureValue], ...]
    """Name and value of the features in SHAPE_FEATURES."""
    support: tuple[float, ...] = ()
    """Height of what lies below the nodes of a fibre, particle sizes; empty for level ground."""


def choose_shape(
    prototype: str,
    extents: NDArray[np.float64],
    features: Features,
    pixel: float | None,
    support: tuple[float, ...] = (),
) -> tuple[Shape, float]:
    """Return the shape of a body of full `extents` (3,) and its size, the scale of its mesh; scene units.

    The size is the geometric mean of the extents, rounded to float32. The mesh is as fine as pixels of width `pixel`
    show; None is a picture without scale. `support` is that of `Shape`, of fibres only.
    """
    x, y, z = (float(extent) for extent in extents)
    size = float(np.float32((x * y * z) ** (1 / 3)))
    _, middle, longest = sorted((x, y, z))
    segments = DEFAULT_SEGMENTS if pixel is None else QUADS_PER_PIXEL * math.sqrt(longest * middle) / pixel
    shaping = tuple(sorted((name, value) for name, value in features.items() if name in SHAPE_FEATURES))
    return Shape(prototype, (x / size, y / size, z / size), choose_fineness(segments), shaping, support), size


_PLACEMENT_FEATURES: Final = frozenset(
    (
        *("dimensions", "width", "height", "location", "location_x", "location_y", "location_z"),
        *("orientation", "orientation_heading", "orientation_spread"),
    )
)
SHAPE_FEATURES: Final = (
    frozenset(name for prototype in SHAPES.values() for name in prototype.features) - _PLACEMENT_FEATURES
)
"""Names of the features that a mesh depends on."""


def build_shape_mesh(shape: Shape) -> Mesh:
    """Return the mesh at size 1, with volume and surface. Raise ShapeError for an impossible shape.

    Volume and surface are those of the matter without its decoration, from closed formulas or from the mesh, corrected
    as for a sphere of the same fineness.
    """
    if shape.prototype == FIBRE:
        return _build_fibre_mesh(shape)
    features, solid = dict(shape.features), SOLIDS[shape.prototype]
    directions, whole = build_sphere_grid(shape.segments)
    wall, opening = read_number(features, "wall_thickness"), read_number(features, "opening")
    directions, triangles = cut_opening(directions, whole, opening) if wall and opening else (directions, whole)
    points, normals = solid.cast_surface(directions, shape.proportions, features)
    height = relief.compute_relief(points, normals, features)
    content = None if height is not None or wall else solid.compute_content(shape.proportions, features)
    if height is not None:
        points, normals = relief.displace_surface(points, normals, whole, height, np.array(shape.proportions))
    surface = BodyPart(points, normals, triangles, 1.0, is_measured=True)
    parts = _add_inner_parts(surface, whole, shape.proportions, features)
    for part in parts:
        _bend_part(part, shape.proportions, features)
    if features.get("decoration_number"):
        bent = BodyPart(
            parts[0].points[: len(points)], parts[0].normals[: len(points)], triangles, 1.0, is_measured=True
        )
        parts.append(build_decoration(bent, shape.segments, features))
    return _join_parts(parts, content or _measure_parts(parts, shape.segments))


def _add_inner_parts(
    surface: BodyPart, whole: NDArray[np.int32], proportions: Proportions, features: Features
) -> list[BodyPart]:
    """Return the outer surface, with that of the cavity of a hollow body, and the inclusion if it has one.

    `whole` (T, 3) are the triangles of the surface without an opening.
    """
    wall = read_number(features, "wall_thickness")
    cavity = compute_cavity_scale(proportions, wall) if wall else None
    parts = [surface if cavity is None else add_cavity(surface, cavity)]
    if features.get("inclusion_size"):
        parts.append(build_inclusion(surface, whole, cavity, features))
    return parts


def _bend_part(part: BodyPart, proportions: Proportions, features: Features) -> None:
    """Bend points and normals of a part in place, as waves or an arc ask for."""
    if features.get("wave_depth"):
        seed = np.uint64(int(read_number(features, "shape_seed")))
        add_waves(part.points, part.normals, seed, read_number(features, "wave_depth"))
    curvature = compute_curvature(proportions, read_number(features, "bend"))
    if curvature > 0:
        bend_rod(part.points, part.normals, curvature)


def _measure_parts(parts: Sequence[BodyPart], segments: int) -> tuple[float, float]:
    """Return volume and surface of the parts that count, corrected for the fineness of their meshes."""
    measured = [measure_mesh(part.points, part.triangles) for part in parts if part.is_measured]
    correction = _compute_mesh_correction(segments)
    volume, surface = (math.fsum(each) for each in zip(*measured, strict=True))
    return volume * correction[0], surface * correction[1]


def _join_parts(parts: Sequence[BodyPart], content: tuple[float, float]) -> Mesh:
    """Return one mesh of all parts; it has densities only where parts differ in them."""
    if len(parts) == 1:
        return Mesh(parts[0].points, parts[0].normals, parts[0].triangles, *content)
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    return Mesh(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.triangles + np.int32(start) for part, start in zip(parts, starts, strict=False)]),
        *content,
        np.concatenate([np.full(len(part.triangles), part.density) for part in parts]),
    )


def _build_fibre_mesh(shape: Shape) -> Mesh:
    fineness = choose_tube_fineness(shape.proportions, shape.segments / QUADS_PER_PIXEL)
    surface = build_fibre(shape.proportions, dict(shape.features), fineness, np.array(shape.support))
    content = surface.content
    if content is None:
        volume, area = measure_mesh(surface.points, surface.triangles)
        content = volume * surface.correction[0], area * surface.correction[1]
    return Mesh(surface.points, surface.normals, surface.triangles, *content, centre_line=surface.centre_line)


def find_faces(shape: Shape) -> NDArray[np.float64]:
    """Return the planes (K, 4) on which a body may rest, unit normal and distance from the middle; none for most.

    A fibre lies on its +y side.
    """
    if shape.prototype == FIBRE:
        return np.array([[0.0, 1.0, 0.0, shape.proportions[1] / 2]])
    return SOLIDS[shape.prototype].build_faces(shape.proportions, dict(shape.features))


def is_round(shape: Shape) -> bool:
    """Return True for a smooth sphere."""
    x, y, z = shape.proportions
    reliefs = ("irregularity", "wrinkle_depth", "pore_depth", "step_depth", "decoration_number")
    is_round_body = SHAPES[shape.prototype].can_be_sphere and x == y == z
    return is_round_body and not any(dict(shape.features)[name] for name in reliefs)


@lru_cache
def _compute_mesh_correction(segments: int) -> tuple[float, float]:
    """Return volume and surface of the sphere over those of its mesh with `segments` quads along an edge."""
    directions, triangles = build_sphere_grid(segments)
    points, _ = cast_ellipsoid(directions, np.ones(3))
    volume, surface = measure_mesh(points, triangles)
    return math.pi / 6 / volume, math.pi / surface


@kernel
def measure_mesh(points: NDArray[np.float64], triangles: NDArray[np.int32]) -> tuple[float, float]:
    """Return volume and surface of a closed mesh, points (V, 3) and triangles (T, 3).

    By the divergence theorem the volume is the sum of a . (b - a) x (c - a) / 6 over the triangles (a, b, c).
    """
    volume, surface = 0.0, 0.0
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        volume += a[0] * nx + a[1] * ny + a[2] * nz
        surface += math.sqrt(nx * nx + ny * ny + nz * nz)
    return volume / 6.0, surface / 2.0
