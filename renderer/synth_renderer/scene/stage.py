"""From the world of the generation steps to the frozen scene that pictures and labels are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_api.prototypes import FeatureType
from synth_renderer.geometry import prototypes
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
    return StagedScene(
        seed=world.seed,
        names=tuple(particles.names),
        blueprints=tuple(particles.blueprints),
        geometries=tuple(particles.geometries),
        materials=tuple(particles.materials),
        features={name: particles.features.column(name) for name in sorted(particles.features.names())},
        bodies=bodies_of(particles, every),
        technique=_staged_technique(world.invoked_technique()),
    )


def bodies_of(particles: Particles, rows: NDArray[np.bool_]) -> Bodies:
    """The evaluated geometry of some particles; equal meshes are shared."""
    chosen = np.flatnonzero(rows)
    column = particles.features.column("subdivisions")
    kinds = [(particles.geometries[row], int(column.values[row]) if column.present[row] else None) for row in chosen]
    shared = sorted(set(kinds), key=str)
    meshes = tuple(prototypes.mesh(geometry, level) for geometry, level in shared)
    mesh_index = np.array([shared.index(kind) for kind in kinds], dtype=np.int32)
    extents = np.array([np.ptp(mesh.vertices, axis=0) for mesh in meshes]).reshape(-1, 3)
    sizes = particles.sizes()[chosen]
    return Bodies(
        meshes=meshes,
        mesh_index=mesh_index,
        scales=sizes / extents[mesh_index],
        quaternions=particles.quaternions[chosen],
        locations=_locations(particles)[chosen],
        is_sphere=np.array(
            [prototypes.is_sphere(geometry, size) for (geometry, _), size in zip(kinds, sizes, strict=True)], dtype=bool
        ),
    )


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
