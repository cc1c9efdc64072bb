"""From the world of the generation steps to the frozen scene that pictures and labels are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_api.prototypes import GEOMETRIES, FeatureType
from synth_renderer.geometry import prototypes
from synth_renderer.geometry.shapes import Shape, is_round, shape_mesh, shape_of
from synth_renderer.geometry.solids import SOLIDS
from synth_renderer.labels.modes import palette
from synth_renderer.scene.bodies import Bodies
from synth_renderer.scene.staged import StagedScene, StagedTechnique

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.scene.world import InvokedTechnique, Particles, World


def stage(world: World) -> StagedScene:
    """Freeze the world; every particle gets its `category_color` (`#rrggbb`)."""
    particles = world.particles
    every = np.ones(len(particles), dtype=bool)
    particles.features.declare("category_color", every, "", FeatureType.STRING)
    for row, color in enumerate(palette(len(particles))):
        particles.features.set("category_color", row, "#{:02x}{:02x}{:02x}".format(*color))
    technique = _staged_technique(world.invoked_technique())
    return StagedScene(
        seed=world.seed,
        names=tuple(particles.names),
        blueprints=tuple(particles.blueprints),
        geometries=tuple(particles.geometries),
        materials=tuple(particles.materials),
        features={name: particles.features.column(name) for name in sorted(particles.features.names())},
        bodies=bodies_of(particles, every, technique.camera.pixel_size),
        technique=technique,
    )


def bodies_of(particles: Particles, rows: NDArray[np.bool_], pixel: float | None) -> Bodies:
    """The evaluated geometry of some particles, as fine as pixels of that width show; equal meshes are shared."""
    chosen = np.flatnonzero(rows)
    sizes = particles.sizes()
    looks = [_look(particles, int(row), sizes[row], pixel) for row in chosen]
    shared = {kind: number for number, kind in enumerate(dict.fromkeys(kind for kind, _, _ in looks))}
    meshes = tuple(shape_mesh(kind) if isinstance(kind, Shape) else prototypes.mesh(*kind) for kind in shared)
    return Bodies(
        meshes=meshes,
        mesh_index=np.array([shared[kind] for kind, _, _ in looks], dtype=np.int32),
        scales=np.array([scale for _, scale, _ in looks]).reshape(-1, 3),
        quaternions=particles.quaternions[chosen],
        locations=_locations(particles)[chosen],
        is_sphere=np.array([round_body for _, _, round_body in looks], dtype=bool),
    )


def _look(
    particles: Particles, row: int, extents: NDArray[np.float64], pixel: float | None
) -> tuple[Shape | tuple[str, int | None], NDArray[np.float64], bool]:
    """What names one particle's mesh, the scale of that mesh (3,), and whether the body is a smooth sphere."""
    geometry = particles.geometries[row]
    if geometry in SOLIDS:
        values = {name: particles.features.value(name, row) for name in GEOMETRIES[geometry].features}
        shape, size = shape_of(geometry, extents, values, pixel)
        return shape, np.full(3, size), is_round(shape)
    column = particles.features.column("subdivisions")
    kind = (geometry, int(column.values[row]) if column.present[row] else None)
    mesh_extents = np.ptp(prototypes.mesh(*kind).vertices, axis=0)
    return kind, extents / mesh_extents, prototypes.is_sphere(geometry, extents)


def _locations(particles: Particles) -> NDArray[np.float64]:
    if not len(particles):
        return np.zeros((0, 3))
    return np.array(particles.features.column("location").values, dtype=np.float64)


def _staged_technique(invoked: InvokedTechnique) -> StagedTechnique:
    features = invoked.feature_values()
    return StagedTechnique(
        name=invoked.name,
        prototype=invoked.prototype,
        background_material=invoked.background_material,
        features=features,
        camera=invoked.technique.camera(features),
        volume=invoked.technique.volume(features),
    )
