"""Bodies of any shape come to rest in Blender's rigid body solver (Bullet), built through data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from mathutils.bvhtree import BVHTree

from synth_renderer.blender import bpy, session, stage
from synth_renderer.geometry.placement import world_vertices
from synth_renderer.physics.report import PhysicsError, PhysicsReport

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.geometry.mesh import Mesh
    from synth_renderer.physics.forces import Forces
    from synth_renderer.scene.bodies import Bodies
    from synth_renderer.scene.staged import Box

REST_WAY = 0.01
"""Way in the last frame, in smallest half extents, below which a body counts as resting."""
WALL = 0.5
"""Thickness of the container's walls, as a share of its longest side: fast bodies must not pass through."""


def relax_rigid_bodies(
    bodies: Bodies, forces: Forces, collision_shape: str, mesh_source: str, container: Box | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], PhysicsReport]:
    """Locations (N, 3), quaternions w x y z (N, 4), world frame, and the report.

    collision_shape and mesh_source are Blender's words (`CONVEX_HULL`, `FINAL`). The open Blender file gives way to an
    empty one. The same bits are promised on one class of processor only. Raises `PhysicsError` when
    Blender loses a body.
    """
    if not len(bodies):
        return bodies.locations.copy(), bodies.quaternions.copy(), PhysicsReport("blender", 0.0, True, 0, 0, 0)
    stage.forget()
    session.reset()
    try:
        objects = _build(bodies, forces, collision_shape.upper(), mesh_source.upper(), container)
        before, _ = _simulate(objects, forces)
        locations, quaternions = _placement(objects)
    finally:
        session.reset()
    if not np.isfinite(locations).all():
        raise PhysicsError("Blender's rigid body solver lost a particle: its location is not finite")
    way = float(np.sqrt(((locations - before) ** 2).sum(axis=1)).max())
    report = PhysicsReport(
        solver="blender",
        largest_overlap=largest_mesh_overlap(bodies, locations, quaternions),
        came_to_rest=way <= REST_WAY * float(_half_extents(bodies).min()),
        frames=forces.num_frames,
        substeps=forces.substeps_per_frame,
        iterations=forces.solver_iterations,
    )
    return locations, quaternions, report


def _build(bodies: Bodies, forces: Forces, shape: str, source: str, container: Box | None) -> list[bpy.types.Object]:
    scene = bpy.context.scene
    meshes = [_mesh_data(mesh) for mesh in bodies.meshes]
    objects = [_object(bodies, meshes, index) for index in range(len(bodies))]
    walls = _wall_objects(container) if container else []
    _add_world(scene, forces)
    _add_bodies([*objects, *walls])
    for obj in objects:
        _set_up(obj.rigid_body, forces, shape, source)
    for obj in walls:
        _set_up(obj.rigid_body, forces, "BOX", "BASE")
        obj.rigid_body.type = "PASSIVE"
    return objects


def _object(bodies: Bodies, meshes: list[bpy.types.Mesh], index: int) -> bpy.types.Object:
    obj = bpy.data.objects.new(f"body.{index:06d}", meshes[bodies.mesh_index[index]])
    obj.rotation_mode = "QUATERNION"
    obj.location, obj.rotation_quaternion = bodies.locations[index], bodies.quaternions[index]
    obj.scale = bodies.scales[index]
    bpy.context.scene.collection.objects.link(obj)
    return obj


def _mesh_data(mesh: Mesh) -> bpy.types.Mesh:
    data = bpy.data.meshes.new("body")
    data.from_pydata(mesh.vertices.tolist(), [], mesh.triangles.tolist())
    return data


def _wall_objects(container: Box) -> list[bpy.types.Object]:
    """Six thick slabs around the box: unlike a hollow mesh, fast bodies do not pass through them."""
    lower, upper = np.array(container.lower), np.array(container.upper)
    thickness = WALL * float((upper - lower).max())
    slab = _slab_data()
    walls = []
    for axis in range(3):
        for side in (-1, 1):
            obj = bpy.data.objects.new(f"wall.{axis}{side:+d}", slab)
            scale, centre = upper - lower + 2 * thickness, (lower + upper) / 2
            scale[axis] = thickness
            centre[axis] = (lower if side < 0 else upper)[axis] + side * thickness / 2
            obj.location, obj.scale = centre, scale
            bpy.context.scene.collection.objects.link(obj)
            walls.append(obj)
    return walls


def _slab_data() -> bpy.types.Mesh:
    """A cube of edge 1."""
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    data = bpy.data.meshes.new("slab")
    data.from_pydata(corners, [], faces)
    return data


def _add_world(scene: bpy.types.Scene, forces: Forces) -> None:
    bpy.ops.rigidbody.world_add()
    world = scene.rigidbody_world
    world.time_scale = forces.time_scale
    world.substeps_per_frame, world.solver_iterations = forces.substeps_per_frame, forces.solver_iterations
    world.point_cache.frame_start, world.point_cache.frame_end = 1, max(forces.num_frames, 2)
    scene.use_gravity, scene.gravity = forces.use_gravity, forces.gravity
    scene.render.fps = round(forces.fps)
    scene.frame_start, scene.frame_end = 1, max(forces.num_frames, 2)


def _add_bodies(objects: list[bpy.types.Object]) -> None:
    """Make all of them rigid bodies by one operator call."""
    bpy.context.view_layer.update()
    with bpy.context.temp_override(selected_objects=objects, selected_editable_objects=objects, object=objects[0]):
        bpy.ops.rigidbody.objects_add(type="ACTIVE")


def _set_up(body: bpy.types.RigidBodyObject, forces: Forces, shape: str, source: str) -> None:
    body.collision_shape, body.mesh_source = shape, source
    body.mass, body.friction, body.restitution = forces.mass, forces.friction, forces.restitution
    body.linear_damping, body.angular_damping = forces.linear_damping, forces.angular_damping
    body.use_margin, body.collision_margin = forces.collision_margin > 0, forces.collision_margin


def _simulate(objects: list[bpy.types.Object], forces: Forces) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Step to the last frame; the placement in the frame before it."""
    before = _placement(objects)
    for frame in range(1, forces.num_frames + 1):
        if frame == forces.num_frames:
            before = _placement(objects)
        bpy.context.scene.frame_set(frame)
    return before


def _placement(objects: list[bpy.types.Object]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    graph = bpy.context.evaluated_depsgraph_get()
    placed = [obj.evaluated_get(graph).matrix_world.decompose() for obj in objects]
    locations = np.array([location for location, _, _ in placed], dtype=np.float64)
    return locations, np.array([rotation for _, rotation, _ in placed], dtype=np.float64)


def _half_extents(bodies: Bodies) -> NDArray[np.float64]:
    """Half the smallest extent of each body (N,)."""
    extents = np.array([np.ptp(mesh.vertices, axis=0) for mesh in bodies.meshes])
    halves: NDArray[np.float64] = (0.5 * bodies.scales * extents[bodies.mesh_index]).min(axis=1)
    return halves


def largest_mesh_overlap(bodies: Bodies, locations: NDArray[np.float64], quaternions: NDArray[np.float64]) -> float:
    """Deepest vertex of one mesh inside another, as a fraction of the smaller body's half extent."""
    placed = _moved(bodies, locations, quaternions)
    vertices = [world_vertices(placed, index) for index in range(len(placed))]
    low = np.array([points.min(axis=0) for points in vertices])
    high = np.array([points.max(axis=0) for points in vertices])
    trees: dict[int, BVHTree] = {}
    halves, deepest = _half_extents(bodies), 0.0
    for index, points in enumerate(vertices):
        near = np.flatnonzero((low <= high[index]).all(axis=1) & (high >= low[index]).all(axis=1))
        for other in near[near != index]:
            if other not in trees:
                trees[other] = BVHTree.FromPolygons(vertices[other].tolist(), _triangles(bodies, other))
            inside = points[((points > low[other]) & (points < high[other])).all(axis=1)]
            deepest = max(deepest, _depth(trees[other], inside) / float(min(halves[index], halves[other])))
    return deepest


def _moved(bodies: Bodies, locations: NDArray[np.float64], quaternions: NDArray[np.float64]) -> Bodies:
    return type(bodies)(bodies.meshes, bodies.mesh_index, bodies.scales, quaternions, locations, bodies.is_sphere)


def _triangles(bodies: Bodies, index: int) -> list[list[int]]:
    triangles: list[list[int]] = bodies.meshes[bodies.mesh_index[index]].triangles.tolist()
    return triangles


def _depth(tree: BVHTree, points: NDArray[np.float64]) -> float:
    """How deep the deepest of some points lies behind the nearest face."""
    deepest = 0.0
    for point in points:
        nearest, normal, _, distance = tree.find_nearest(point)
        if nearest is not None and sum((a - b) * c for a, b, c in zip(point, nearest, normal, strict=True)) < 0:
            deepest = max(deepest, distance)
    return deepest
