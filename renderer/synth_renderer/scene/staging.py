"""From the world of the generation steps to the frozen scene that pictures and labels are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_api.prototypes import GEOMETRIES, FeatureType
from synth_renderer.geometry import prototypes
from synth_renderer.geometry.shapes import SHAPE_FEATURES, Shape, build_shape_mesh, choose_shape, is_round
from synth_renderer.geometry.solids import SOLIDS
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.palette import palette
from synth_renderer.model.staged_scene import StagedScene, StagedTechnique

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.mesh import Mesh
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
        bodies=bodies_of(particles, every, technique.camera.pixel_size, world.meshes),
        technique=technique,
    )


@dataclass(frozen=True)
class Look:
    """One particle's mesh, the scale of that mesh (3,), and whether the body is a smooth sphere."""

    mesh: Mesh
    shape: Shape | None
    """What the mesh was made from; None of the ellipsoids that stretch a common one."""
    scale: NDArray[np.float64]
    is_sphere: bool

    @property
    def thickness(self) -> NDArray[np.float64]:
        """Full extents (3,) along its axes, scene units."""
        return np.asarray(self.mesh.extents * self.scale)


def look_of(particles: Particles, row: int, pixel: float | None, meshes: dict[Shape, Mesh]) -> Look:
    """How a particle looks as finely as pixels of that width show; `meshes` are those made so far, and gain its own."""
    geometry, extents = particles.geometries[row], particles.sizes_of(row)
    if geometry in SOLIDS:
        values = {
            name: particles.features.value(name, row) for name in SHAPE_FEATURES & GEOMETRIES[geometry].features.keys()
        }
        shape, size = choose_shape(geometry, extents, values, pixel)
        if shape not in meshes:
            meshes[shape] = build_shape_mesh(shape)
        return Look(meshes[shape], shape, np.full(3, size), is_round(shape))
    column = particles.features.column("subdivisions")
    mesh = prototypes.build_mesh(geometry, int(column.values[row]) if column.present[row] else None)
    return Look(mesh, None, extents / mesh.extents, prototypes.is_sphere(geometry, extents))


def bodies_of(
    particles: Particles, rows: NDArray[np.bool_], pixel: float | None, meshes: dict[Shape, Mesh] | None = None
) -> Bodies:
    """The evaluated geometry of some particles, as fine as pixels of that width show; equal meshes are shared."""
    chosen, known = np.flatnonzero(rows), {} if meshes is None else meshes
    looks = [look_of(particles, int(row), pixel, known) for row in chosen]
    shared = {id(look.mesh): look.mesh for look in looks}
    numbers = {name: number for number, name in enumerate(shared)}
    return Bodies(
        meshes=tuple(shared.values()),
        mesh_index=np.array([numbers[id(look.mesh)] for look in looks], dtype=np.int32),
        scales=np.array([look.scale for look in looks]).reshape(-1, 3),
        quaternions=particles.quaternions[chosen],
        locations=_locations(particles)[chosen],
        is_sphere=np.array([look.is_sphere for look in looks], dtype=bool),
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
