"""Freezing the world of the generation steps into the staged scene of pictures and labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_api.prototypes.feature import FeatureType
from synth_api.prototypes.geometries import GEOMETRIES, SHAPES
from synth_api.recipe.references import has_agglomerates
from synth_renderer.agglomeration.growth import measure_gyration
from synth_renderer.geometry import prototypes
from synth_renderer.geometry.shapes import SHAPE_FEATURES, Shape, build_shape_mesh, choose_shape, is_round
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.mesh import Mesh
from synth_renderer.model.palette import build_palette
from synth_renderer.model.staged_scene import Agglomerates, StagedScene, StagedTechnique
from synth_renderer.model.transforms import compute_middle
from synth_renderer.scene.fused_bodies import fuse_meta_balls

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.scene.world import InvokedTechnique, Particles, World


def stage_scene(world: World) -> StagedScene:
    """Freeze the world; every particle gets its `category_color` (`#rrggbb`)."""
    particles = world.particles
    every = np.ones(len(particles), dtype=bool)
    particles.features.declare("category_color", every, "", FeatureType.STRING)
    for row, color in enumerate(build_palette(len(particles))):
        particles.features.set_value("category_color", row, "#{:02x}{:02x}{:02x}".format(*color))
    technique = _stage_technique(world.require_technique())
    bodies = fuse_meta_balls(particles, build_bodies(particles, every, technique.camera.pixel_size, world.meshes))
    has_any = has_agglomerates(world.recipe)
    geometries = {blueprint.geometry_prototype_name for blueprint in world.recipe.blueprints.particles.values()}
    return StagedScene(
        seed=world.seed,
        names=tuple(particles.names),
        blueprints=tuple(particles.blueprints),
        geometries=tuple(particles.geometries),
        materials=tuple(particles.materials),
        features={name: particles.features.read_column(name) for name in sorted(particles.features.list_names())},
        bodies=bodies,
        technique=technique,
        agglomerates=_describe_agglomerates(particles, bodies.locations) if has_any else None,
        has_fibres=any(GEOMETRIES[geometry].has_centre_line for geometry in geometries),
    )


@dataclass(frozen=True)
class ScaledMesh:
    """One particle's mesh, the scale of that mesh (3,), and whether the body is a smooth sphere."""

    mesh: Mesh
    shape: Shape | None
    """Shape of the mesh; None for ellipsoids, which scale a shared mesh."""
    scale: NDArray[np.float64]
    is_sphere: bool
    is_body: bool = True
    """False for an agglomerate of several bodies."""

    @property
    def thickness(self) -> NDArray[np.float64]:
        """Full extents (3,) along the body's axes, scene units."""
        return np.asarray(self.mesh.extents * self.scale)


def build_scaled_mesh(particles: Particles, row: int, pixel: float | None, meshes: dict[Shape, Mesh]) -> ScaledMesh:
    """Return a particle's mesh, as fine as pixels of width `pixel` can show; a new mesh is added to `meshes`."""
    geometry, extents = particles.geometries[row], particles.compute_size(row)
    if geometry in SHAPES:
        names = SHAPE_FEATURES & GEOMETRIES[geometry].features.keys()
        values = {name: particles.features.read_value(name, row) for name in names}
        shape, size = choose_shape(geometry, extents, values, pixel, particles.supports[row])
        if shape not in meshes:
            meshes[shape] = build_shape_mesh(shape)
        return ScaledMesh(meshes[shape], shape, np.full(3, size), is_round(shape))
    column = particles.features.read_column("subdivisions")
    mesh = prototypes.build_mesh(geometry, int(column.values[row]) if column.present[row] else None)
    return ScaledMesh(mesh, None, extents / mesh.extents, prototypes.is_sphere(geometry, extents))


def build_agglomerate_mesh(
    particles: Particles, row: int, pixel: float | None, meshes: dict[Shape, Mesh]
) -> tuple[ScaledMesh, NDArray[np.float64]]:
    """Return the mesh of a particle and its whole agglomerate, and the place (3,) of the mesh's middle.

    For a particle alone they are those of `build_scaled_mesh`. The mesh of an agglomerate has the world's axes and
    coarse spheres, and its middle is the mean of their centres.
    """
    members, locations = particles.list_members(row), particles.features.read_column("location").values
    if len(members) == 1:
        return build_scaled_mesh(particles, row, pixel, meshes), locations[row]
    middle, sphere = compute_middle(locations[members]), prototypes.build_mesh("sphere", None)
    radii = particles.read_radii(members)
    places = locations[members] - middle
    count = len(members)
    vertices = (2 * radii[:, None, None] * sphere.vertices[None] + places[:, None]).reshape(-1, 3)
    starts = np.arange(count, dtype=np.int32) * len(sphere.vertices)
    triangles = (sphere.triangles[None] + starts[:, None, None]).reshape(-1, 3).astype(np.int32)
    mesh = Mesh(vertices, np.tile(sphere.normals, (count, 1)), triangles)
    return ScaledMesh(mesh, None, np.ones(3), is_sphere=False, is_body=False), middle


def build_bodies(
    particles: Particles, rows: NDArray[np.bool_], pixel: float | None, meshes: dict[Shape, Mesh] | None = None
) -> Bodies:
    """Return the geometry of the particles `rows` (N,), as fine as pixels of width `pixel` can show."""
    chosen, known = np.flatnonzero(rows), {} if meshes is None else meshes
    looks = [build_scaled_mesh(particles, int(row), pixel, known) for row in chosen]
    shared = {id(look.mesh): look.mesh for look in looks}
    numbers = {name: number for number, name in enumerate(shared)}
    return Bodies(
        meshes=tuple(shared.values()),
        mesh_index=np.array([numbers[id(look.mesh)] for look in looks], dtype=np.int32),
        scales=np.array([look.scale for look in looks]).reshape(-1, 3),
        quaternions=particles.quaternions[chosen],
        locations=_read_locations(particles)[chosen],
        is_sphere=np.array([look.is_sphere for look in looks], dtype=bool),
    )


def _read_locations(particles: Particles) -> NDArray[np.float64]:
    if not len(particles):
        return np.zeros((0, 3))
    return np.array(particles.features.read_column("location").values, dtype=np.float64)


def _describe_agglomerates(particles: Particles, locations: NDArray[np.float64]) -> Agglomerates:
    numbers, membership = np.zeros(len(particles), dtype=np.int32), particles.membership
    primaries, gyration, prefactor = numbers.copy(), np.full(len(particles), np.nan), np.full(len(particles), np.nan)
    parents = np.flatnonzero(particles.find_ultimate_parents() & (membership["agglomerate"] > 0))
    for number, parent in enumerate(parents, start=1):
        members = particles.list_members(int(parent))
        radii = particles.read_radii(members)
        width, count = measure_gyration(locations[members], radii), len(members)
        numbers[members], primaries[members], gyration[members] = number, count, width
        if count > 1:
            dimension = float(membership["fractal_dimension"][parent])
            prefactor[members] = np.float32(count * math.pow(math.fsum(radii) / count / width, dimension))
    return Agglomerates(numbers, primaries, membership["contacts"].astype(np.int32), gyration, prefactor)


def _stage_technique(invoked: InvokedTechnique) -> StagedTechnique:
    features = invoked.read_features()
    return StagedTechnique(
        name=invoked.name,
        prototype=invoked.prototype,
        background_material=invoked.background_material,
        features=features,
        camera=invoked.technique.build_camera(features),
        volume=invoked.technique.build_volume(features),
    )
