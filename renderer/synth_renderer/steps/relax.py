"""Choice of the solver that brings bodies to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.physics.forces import Forces
from synth_renderer.physics.spheres import settle_spheres

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_api.recipe.feature_generation import RelaxCollisions
    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.relax_report import PhysicsReport
    from synth_renderer.model.staged_scene import Box


ROUND_SHAPES: Final = frozenset({"SPHERE", "CAPSULE", "CONVEX_HULL", "MESH"})
"""Collision shapes that equal the sphere itself."""


def relax(
    bodies: Bodies, step: RelaxCollisions, container: Box | None, agglomerates: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], PhysicsReport]:
    """Return locations (N, 3), quaternions w x y z (N, 4) and the report of the relaxation.

    `agglomerates` (N,) are the numbers of the bodies' agglomerates, 0 for none; the bodies of one keep their places to
    each other. Free spheres that collide as spheres use the project's solver, other bodies Blender's. Raises
    PhysicsError.
    """
    forces, shape = Forces.from_step(step), step.collision_shape
    groups = np.zeros(len(bodies), dtype=np.int64) if agglomerates is None else agglomerates
    is_round = bool(bodies.is_sphere.all()) and shape in ROUND_SHAPES
    if is_round and len(np.unique(groups[groups > 0])) == np.count_nonzero(groups):
        locations, report = settle_spheres(bodies.locations, compute_sphere_radii(bodies), forces, container)
        return locations, bodies.quaternions.copy(), report
    from synth_renderer.blender.rigid_bodies import relax_rigid_bodies

    return relax_rigid_bodies(bodies, forces, "SPHERE" if is_round else shape, container, groups)


def compute_sphere_radii(bodies: Bodies) -> NDArray[np.float64]:
    """Return radii (N,) of spheres, scene units: half their extent along x."""
    extents = np.array([np.ptp(mesh.vertices[:, 0]) for mesh in bodies.meshes])
    radii: NDArray[np.float64] = 0.5 * bodies.scales[:, 0] * extents[bodies.mesh_index]
    return radii
