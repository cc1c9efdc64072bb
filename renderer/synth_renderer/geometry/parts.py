"""Parts of a body besides its outer surface: cavity, inclusion and decoration.

Points are (V, 3) in particle sizes with outward unit normals (V, 3); triangles (T, 3) are counter-clockwise seen from
outside the matter that they bound, so those of a cavity face the cavity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.geometry.shape_features import read_number
from synth_renderer.geometry.sphere_grid import build_sphere_grid, choose_fineness
from synth_renderer.model.errors import ShapeError
from synth_renderer.numerics.kernel import kernel
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synth_renderer.geometry.shape_features import Features


INCLUSION_WORD, DECORATION_WORD = np.uint64(2**43), np.uint64(2**43 + 1)
"""Words of the shape's seed from which the place of the inclusion and the key of the decoration derive."""
MIN_CAVITY: Final = 0.05
"""Smallest extent of a cavity over that of the body."""
SINKING: Final = 0.4
"""How deep a sphere of the decoration lies below the surface, in its radii."""
CANDIDATES: Final = 8
"""Random places of which a sphere of the decoration takes the one that is farthest from all others."""


@dataclass(frozen=True)
class BodyPart:
    """A piece of a body's surface."""

    points: NDArray[np.float64]
    """Vertices (V, 3)."""
    normals: NDArray[np.float64]
    """Unit normals (V, 3)."""
    triangles: NDArray[np.int32]
    """Numbers of the vertices (T, 3)."""
    density: float
    """Density that a ray gains where it enters, over that of the body."""
    is_measured: bool
    """Whether it counts for volume and surface of the body."""


def compute_cavity_scale(proportions: Sequence[float], wall: float) -> NDArray[np.float64]:
    """Return the extents (3,) of a cavity over those of the body, for a wall in particle sizes.

    Raise ShapeError if the wall leaves no cavity.
    """
    scale = 1 - 2 * wall / np.array(proportions)
    if scale.min() < MIN_CAVITY:
        thinnest = min(proportions)
        raise ShapeError(
            f"wall_thickness {wall:g} leaves no cavity in a body that is {thinnest:.3g} particle sizes thick;"
            f" give at most {(1 - MIN_CAVITY) * thinnest / 2:.3g}"
        )
    return scale


def cut_opening(
    directions: NDArray[np.float64], triangles: NDArray[np.int32], opening: float
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return a sphere grid with a hole around +z, `opening` wide over the sphere's diameter.

    The directions (V, 3) next to the hole move onto its rim; triangles (T, 3) that reach into it are left out.
    """
    cut = math.sqrt(1 - opening * opening)
    inside = directions[:, 2] > cut
    reaching = inside[triangles].any(axis=1)
    rim = np.setdiff1d(np.unique(triangles[reaching]), np.flatnonzero(inside))
    moved = directions.copy()
    x, y = directions[rim, 0], directions[rim, 1]
    moved[rim, :2] *= (opening / np.sqrt(x * x + y * y))[:, None]
    moved[rim, 2] = cut
    return moved, np.ascontiguousarray(triangles[~reaching])


def add_cavity(outer: BodyPart, scale: NDArray[np.float64]) -> BodyPart:
    """Return a part with the outer surface and that of a cavity, the outer one times `scale` (3,).

    Along the rims of an outer surface with holes, walls join both.
    """
    count = np.int32(len(outer.points))
    normals = outer.normals / scale
    x, y, z = normals.T
    normals = -normals / np.sqrt(x * x + y * y + z * z)[:, None]
    a, b = _find_rims(outer.triangles)
    walls = np.concatenate([np.column_stack([b, a, a + count]), np.column_stack([b, a + count, b + count])])
    triangles = np.concatenate([outer.triangles, outer.triangles[:, ::-1] + count, walls]).astype(np.int32)
    points = np.concatenate([outer.points, outer.points * scale])
    return BodyPart(points, np.concatenate([outer.normals, normals]), triangles, 1.0, is_measured=True)


def _find_rims(triangles: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return first and second vertex (E,) each of the edges that only one triangle has."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    count = int(triangles.max()) + 1
    alone = ~np.isin(edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0])
    first, second = edges[alone].astype(np.int32).T
    return first, second


def build_inclusion(
    surface: BodyPart, triangles: NDArray[np.int32], cavity: NDArray[np.float64] | None, features: Features
) -> BodyPart:
    """Return a body of the surface's shape inside it or, with the scale (3,) of a `cavity`, inside that.

    `inclusion_offset` moves it towards a random vertex, at 1 until it touches the wall. Raise ShapeError if it does not
    fit into the cavity.
    """
    size, offset = read_number(features, "inclusion_size"), read_number(features, "inclusion_offset")
    room = 1.0 if cavity is None else float(cavity.min())
    if size >= room:
        raise ShapeError(
            f"inclusion_size {size:g} does not fit into a cavity of {room:.3g} of the particle;"
            " give less, or a thinner wall_thickness"
        )
    seed = np.uint64(int(read_number(features, "shape_seed")))
    towards = int(float(draw_uniform(seed, INCLUSION_WORD)) * len(surface.points))
    middle = offset * (room - size) * surface.points[towards]
    gained = read_number(features, "inclusion_density") - (1.0 if cavity is None else 0.0)
    return BodyPart(surface.points * size + middle, surface.normals, triangles, gained, is_measured=cavity is not None)


def build_decoration(surface: BodyPart, segments: int, features: Features) -> BodyPart:
    """Return spheres at random places of a surface, equally likely everywhere, sunk by SINKING of their radius.

    `segments` are those of the body's grid: the spheres are about as fine.
    """
    count, size = int(read_number(features, "decoration_number")), read_number(features, "decoration_size")
    key = np.uint64(draw_word(np.uint64(int(read_number(features, "shape_seed"))), DECORATION_WORD))
    places = _draw_places(surface.points, surface.normals, surface.triangles, count, (1 - SINKING) * size / 2, key)
    directions, triangles = build_sphere_grid(choose_fineness(segments * size))
    points = (places[:, None] + directions[None] * (size / 2)).reshape(-1, 3)
    starts = np.arange(count, dtype=np.int32) * np.int32(len(directions))
    every = (triangles[None] + starts[:, None, None]).reshape(-1, 3).astype(np.int32)
    density = read_number(features, "decoration_density")
    return BodyPart(points, np.tile(directions, (count, 1)), every, density, is_measured=False)


@kernel
def _draw_places(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    triangles: NDArray[np.int32],
    count: int,
    height: float,
    key: np.uint64,
) -> NDArray[np.float64]:
    """Return places (count, 3) at `height` above a surface, each the one of CANDIDATES that is farthest from others.

    The triangle is drawn by its area, the place in it by weights 1 - sqrt(u), sqrt(u) (1 - v) and sqrt(u) v.
    """
    area = np.zeros(len(triangles) + 1)
    for t in range(len(triangles)):
        a, b, c = points[triangles[t, 0]], points[triangles[t, 1]], points[triangles[t, 2]]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        area[t + 1] = area[t] + math.sqrt(nx * nx + ny * ny + nz * nz)
    places, candidate, draw = np.empty((count, 3)), np.empty(3), np.uint64(0)
    for place in range(count):
        best = -1.0
        for _ in range(CANDIDATES):
            wanted = draw_uniform(key, draw) * area[-1]
            t = min(np.searchsorted(area, wanted, side="right") - 1, len(triangles) - 1)
            u, v = math.sqrt(draw_uniform(key, draw + np.uint64(1))), draw_uniform(key, draw + np.uint64(2))
            draw += np.uint64(3)
            a, b, c = triangles[t]
            for axis in range(3):
                candidate[axis] = (
                    (1.0 - u) * points[a, axis] + u * (1.0 - v) * points[b, axis] + u * v * points[c, axis]
                )
                candidate[axis] += height * normals[a, axis]
            nearest = np.inf
            for other in range(place):
                square = 0.0
                for axis in range(3):
                    square += (candidate[axis] - places[other, axis]) * (candidate[axis] - places[other, axis])
                nearest = min(nearest, square)
            if nearest > best:
                best = nearest
                places[place] = candidate
    return places
