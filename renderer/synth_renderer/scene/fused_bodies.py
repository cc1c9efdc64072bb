"""Meta balls of a blueprint as bodies: one fused surface, of which each ball has its part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.geometry import prototypes
from synth_renderer.geometry.meta_balls import FUSED_GEOMETRY, REACH, MetaBalls, build_part, compute_lone_diameter
from synth_renderer.model.errors import ShapeError
from synth_renderer.physics.neighbours import find_near_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.mesh import Mesh
    from synth_renderer.scene.world import Particles

MAX_SUBDIVISIONS: Final = 6
"""Finest mesh of a ball that fuses with none."""
MAX_CUBES: Final = 1000
"""Most cubes of the lattice across the longest ball: time grows with their third power."""


def fuse_meta_balls(particles: Particles, bodies: Bodies) -> Bodies:
    """Return the bodies (N,) of all particles, each meta ball as its part of its blueprint's surface.

    A ball alone is a sphere or an ellipsoid; a ball without a part is a body without extent, which nothing shows.
    Threshold and fineness are those of the blueprint's first particle. Raise ShapeError for a mesh that is too fine.
    """
    fused = np.array([geometry == FUSED_GEOMETRY for geometry in particles.geometries], dtype=bool)
    names = np.array(particles.blueprints, dtype=object)
    for name in dict.fromkeys(names[fused]):
        rows = np.flatnonzero(names == name)
        bodies = _replace_meshes(bodies, _fuse_rows(particles, bodies, rows))
    return bodies


def _fuse_rows(
    particles: Particles, bodies: Bodies, rows: NDArray[np.int64]
) -> Iterator[tuple[int, Mesh, NDArray[np.float64]]]:
    """Yield row, mesh and scale (3,) of the balls `rows` of one blueprint."""
    sizes = np.array([particles.compute_size(int(row)) for row in rows])
    threshold, edge = (
        float(particles.features.read_value(name, int(rows[0])))  # type: ignore[arg-type]
        for name in ("influence_threshold", "render_resolution")
    )
    balls = MetaBalls(bodies.locations[rows], bodies.quaternions[rows], sizes, threshold, edge)
    _require_few_cubes(particles.blueprints[int(rows[0])], balls)
    frames, lone = balls.compute_frames(), compute_lone_diameter(threshold)
    for ball, neighbours in enumerate(find_neighbours(balls)):
        row = int(rows[ball])
        if not len(neighbours):
            extents = lone * sizes[ball]
            yield row, prototypes.build_mesh("sphere", _choose_subdivisions(float(extents.max()), edge)), extents
        elif (part := build_part(balls, frames, ball, neighbours)) is None:
            yield row, prototypes.build_mesh("sphere", None), np.zeros(3)
        else:
            yield row, part, np.ones(3)


def find_neighbours(balls: MetaBalls) -> list[NDArray[np.int64]]:
    """Return for each ball the numbers of the others whose field overlaps its own, ascending.

    Within three edges of the lattice counts as overlap, so that all points of a cube know the same fields.
    """
    reaches = REACH * balls.diameters.max(axis=1) + 1.5 * balls.compute_lattice_edge()
    one, two = find_near_pairs(balls.centres, reaches, np.tile([-np.inf, np.inf], 3), 0.0)
    of, near = np.concatenate([one, two]), np.concatenate([two, one])
    order = np.lexsort((near, of))
    return np.split(near[order], np.searchsorted(of[order], np.arange(1, len(reaches))))


def _require_few_cubes(blueprint: str, balls: MetaBalls) -> None:
    longest, edge = float(balls.diameters.max()), balls.compute_lattice_edge()
    if longest > MAX_CUBES * edge:
        raise ShapeError(
            f"the largest ball of the blueprint {blueprint} is {longest:g} scene units long, more than {MAX_CUBES}"
            f" times the distance of {edge:g} between the points of its surface; raise render_resolution, or"
            " the size of the smallest ball"
        )


def _choose_subdivisions(diameter: float, edge: float) -> int:
    """Return the least level of a sphere's mesh whose quads are no wider than `edge`: 32 x 2^level go around it."""
    level = 0
    while level < MAX_SUBDIVISIONS and diameter * np.pi > 32 * 2**level * edge:
        level += 1
    return level


def _replace_meshes(bodies: Bodies, parts: Iterator[tuple[int, Mesh, NDArray[np.float64]]]) -> Bodies:
    meshes = list(bodies.meshes)
    numbers = {id(mesh): number for number, mesh in enumerate(meshes)}
    index, scales, is_sphere = bodies.mesh_index.copy(), bodies.scales.copy(), bodies.is_sphere.copy()
    for row, mesh, scale in parts:
        if id(mesh) not in numbers:
            numbers[id(mesh)] = len(meshes)
            meshes.append(mesh)
        index[row], scales[row] = numbers[id(mesh)], scale
        is_sphere[row] = mesh.walls == 0 and scale[0] == scale[1] == scale[2]
    return replace(bodies, meshes=tuple(meshes), mesh_index=index, scales=scales, is_sphere=is_sphere)
