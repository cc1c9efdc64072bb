"""Bodies of any shape come to rest in Blender's rigid body solver (Bullet), built through data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from mathutils import Matrix
from mathutils.bvhtree import BVHTree

from synth_renderer.blender import bpy, session
from synth_renderer.blender import objects as stage
from synth_renderer.geometry.hull import build_directions, build_hull, compute_supports, find_points_inside, is_convex
from synth_renderer.model.errors import PhysicsError
from synth_renderer.model.relax_report import PhysicsReport
from synth_renderer.model.transforms import (
    compute_world_vertices,
    multiply_quaternions,
    rotation_matrix,
    transform_points,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.mesh import Mesh
    from synth_renderer.model.staged_scene import Box
    from synth_renderer.physics.forces import Forces

MAX_CONCAVITY: Final = 0.005
"""Depth below its convex hull, in smallest extents, up to which a mesh counts as convex."""
REST_DISTANCE = 0.01
"""Way in the last frame, in smallest half extents, below which a body counts as resting."""
REST_SHARE: Final = 0.02
"""The same, as a share of the way that gravity adds in a frame: a body that begins to fall does not rest."""
REST_FRAMES: Final = 12
"""Resting frames after which the motion under gravity has ended."""
WALL_THICKNESS = 0.5
"""Thickness of the container's walls, as a share of its longest side: fast bodies must not pass through."""


def relax_rigid_bodies(
    bodies: Bodies, forces: Forces, collision_shape: str, container: Box | None, groups: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], PhysicsReport]:
    """Locations (N, 3), quaternions w x y z (N, 4), world frame, and the report.

    groups (N,): bodies of equal numbers above 0 move as one. collision_shape is Blender's word. `CONVEX_HULL`, and
    `MESH` where bodies are convex, are hulls of few vertices. The open Blender file is replaced by an empty one. The
    bits are reproducible on one class of processor only. Raises PhysicsError if Blender loses a body.
    """
    if not len(bodies):
        return bodies.locations.copy(), bodies.quaternions.copy(), PhysicsReport("blender", 0.0, True, 0, 0, 0)
    stage.forget_scene()
    session.reset_session()
    try:
        with session.silence_stdout():  # Blender lists each child of a compound as a dependency cycle.
            objects, owners, middles = _build_objects(bodies, forces, collision_shape, container, groups)
            frames, at_rest, placement = _simulate(objects, forces, float(_compute_half_extents(bodies).min()))
    finally:
        session.reset_session()
    locations, quaternions = _place_bodies(bodies, owners, middles, *placement)
    if not np.isfinite(locations).all():
        raise PhysicsError("Blender's rigid body solver lost a particle: its location is not finite")
    report = PhysicsReport(
        solver="blender",
        largest_overlap=compute_largest_overlap(bodies, locations, quaternions, groups),
        came_to_rest=at_rest,
        frames=frames,
        substeps=forces.substeps_per_frame,
        iterations=forces.solver_iterations,
    )
    return locations, quaternions, report


@dataclass(frozen=True)
class _Collider:
    """Collision geometry of a body: mesh at scale 1, Blender's shape name, and margin in the mesh's unit."""

    data: bpy.types.Mesh
    shape: str
    margin: float


def _build_objects(
    bodies: Bodies, forces: Forces, shape: str, container: Box | None, groups: NDArray[np.int64]
) -> tuple[list[bpy.types.Object], NDArray[np.int64], NDArray[np.float64]]:
    """Return the objects that move, the number of that of each body (N,), and where each object is at first (K, 3)."""
    scene = bpy.context.scene
    colliders = _build_colliders(bodies, shape)
    objects = [_add_object(bodies, collider.data, index) for index, collider in enumerate(colliders)]
    walls = _add_walls(container) if container else []
    compounds, owners, middles = _add_compounds(bodies, objects, groups)
    _add_world(scene, forces)
    _add_bodies([*objects, *compounds, *walls])
    for obj, collider in zip(objects, colliders, strict=True):
        _configure_body(obj.rigid_body, forces, collider.shape, forces.collision_margin + collider.margin)
    for obj in compounds:
        _configure_body(obj.rigid_body, forces, "COMPOUND", forces.collision_margin)
    for obj in walls:
        _configure_body(obj.rigid_body, forces, "BOX", forces.collision_margin)
        obj.rigid_body.type = "PASSIVE"
    return [*(obj for obj in objects if obj.parent is None), *compounds], owners, middles


def _add_compounds(
    bodies: Bodies, objects: list[bpy.types.Object], groups: NDArray[np.int64]
) -> tuple[list[bpy.types.Object], NDArray[np.int64], NDArray[np.float64]]:
    """Make the bodies of each group children of an object at their centre of mass; see `_build_objects`."""
    volumes = bodies.scales.prod(axis=1)
    numbers, sizes = np.unique(groups[groups > 0], return_counts=True)
    joined = numbers[sizes > 1]
    is_free = ~np.isin(groups, joined)
    owners, middles = np.cumsum(is_free) - 1, [bodies.locations[is_free]]
    compounds: list[bpy.types.Object] = []
    scaled: dict[tuple[str, tuple[float, ...]], bpy.types.Mesh] = {}
    for group in joined:
        members = np.flatnonzero(groups == group)
        weights = volumes[members] / volumes[members].sum()
        middle = (weights[:, None] * bodies.locations[members]).sum(axis=0)
        compound = bpy.data.objects.new(f"agglomerate.{int(group):06d}", _make_slab_data())
        compound.rotation_mode, compound.location = "QUATERNION", middle
        bpy.context.scene.collection.objects.link(compound)
        for member in members:
            obj = objects[member]
            obj.parent, obj.location = compound, bodies.locations[member] - middle
            # Bullet ignores the scale of a compound's child.
            obj.data, obj.scale = _share_scaled_data(scaled, obj.data, tuple(obj.scale)), (1.0, 1.0, 1.0)
        owners[members] = int(is_free.sum()) + len(compounds)
        compounds.append(compound)
        middles.append(middle[None])
    return compounds, owners, np.concatenate(middles)


def _share_scaled_data(
    known: dict[tuple[str, tuple[float, ...]], bpy.types.Mesh], data: bpy.types.Mesh, scale: tuple[float, ...]
) -> bpy.types.Mesh:
    """Return the mesh at this scale, from `known` or new there."""
    if (data.name, scale) not in known:
        known[data.name, scale] = data.copy()
        known[data.name, scale].transform(Matrix.Diagonal((*scale, 1.0)))
    return known[data.name, scale]


def _place_bodies(
    bodies: Bodies,
    owners: NDArray[np.int64],
    middles: NDArray[np.float64],
    locations: NDArray[np.float64],
    quaternions: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return locations and quaternions of the bodies from those of the objects that move them."""
    placed, turned = locations[owners], quaternions[owners]
    for body in np.flatnonzero(np.bincount(owners)[owners] > 1):
        turn = turned[body] / np.sqrt((turned[body] ** 2).sum())
        way = (bodies.locations[body] - middles[owners[body]])[None]
        placed[body] = transform_points(way, rotation_matrix(turn), placed[body])[0]
        turned[body] = multiply_quaternions(turn, bodies.quaternions[body])
    return placed, turned


def _build_colliders(bodies: Bodies, shape: str) -> list[_Collider]:
    """One for each body; bodies of equal mesh and proportions share their data."""
    is_hull = [
        shape == "CONVEX_HULL" or (shape == "MESH" and is_convex(mesh, MAX_CONCAVITY * float(mesh.extents.min())))
        for mesh in bodies.meshes
    ]
    shared: dict[tuple[int, tuple[float, ...]], _Collider] = {}
    colliders = []
    for number, scale in zip(bodies.mesh_index.tolist(), bodies.scales, strict=True):
        size = float(scale.max())
        kind = number, tuple((scale / size).tolist()) if is_hull[number] else ()
        if kind not in shared:
            mesh = bodies.meshes[number]
            if is_hull[number]:
                shared[kind] = _build_hull_collider(mesh, scale / size)
            else:
                shared[kind] = _Collider(_make_body_data(mesh), shape, 0.0)
        colliders.append(replace(shared[kind], margin=size * shared[kind].margin))
    return colliders


def _build_hull_collider(mesh: Mesh, proportions: NDArray[np.float64]) -> _Collider:
    normals = mesh.normals / proportions
    x, y, z = normals.T
    hull = build_hull(mesh.vertices * proportions, normals / np.sqrt(x * x + y * y + z * z)[:, None])
    data = bpy.data.meshes.new("hull")
    data.from_pydata((hull.points / proportions).tolist(), [], [])
    return _Collider(data, "CONVEX_HULL", hull.margin)


def _add_object(bodies: Bodies, data: bpy.types.Mesh, index: int) -> bpy.types.Object:
    obj = bpy.data.objects.new(f"body.{index:06d}", data)
    obj.rotation_mode = "QUATERNION"
    obj.location, obj.rotation_quaternion = bodies.locations[index], bodies.quaternions[index]
    obj.scale = bodies.scales[index]
    bpy.context.scene.collection.objects.link(obj)
    return obj


def _make_body_data(mesh: Mesh) -> bpy.types.Mesh:
    data = bpy.data.meshes.new("body")
    data.from_pydata(mesh.vertices.tolist(), [], mesh.triangles.tolist())
    return data


def _add_walls(container: Box) -> list[bpy.types.Object]:
    """Six thick slabs around the box: unlike a hollow mesh, fast bodies do not pass through them."""
    lower, upper = np.array(container.lower), np.array(container.upper)
    thickness = WALL_THICKNESS * float((upper - lower).max())
    slab = _make_slab_data()
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


def _make_slab_data() -> bpy.types.Mesh:
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


def _configure_body(body: bpy.types.RigidBodyObject, forces: Forces, shape: str, margin: float) -> None:
    body.collision_shape, body.mesh_source = shape, "FINAL"
    body.friction, body.restitution = forces.friction, forces.restitution
    body.linear_damping, body.angular_damping = forces.linear_damping, forces.angular_damping
    body.use_margin, body.collision_margin = margin > 0, margin


def _simulate(
    objects: list[bpy.types.Object], forces: Forces, smallest: float
) -> tuple[int, bool, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Step until all bodies rest or the last frame; return frames, True if they rest, and the placement."""
    x, y, z = forces.acceleration
    gained = (x * x + y * y + z * z) ** 0.5 * forces.frame_seconds**2
    rest = min(REST_DISTANCE * smallest, REST_SHARE * gained) if gained else REST_DISTANCE * smallest
    placement, resting, way = _read_placement(objects), 0, 0.0
    for frame in range(1, forces.num_frames + 1):
        bpy.context.scene.frame_set(frame)
        before, placement = placement[0], _read_placement(objects)
        way = float(np.sqrt(((placement[0] - before) ** 2).sum(axis=1)).max())
        resting = resting + 1 if way <= rest else 0
        if gained and frame > 1 and resting >= REST_FRAMES:
            return frame, True, placement
    return forces.num_frames, way <= REST_DISTANCE * smallest, placement


def _read_placement(objects: list[bpy.types.Object]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    graph = bpy.context.evaluated_depsgraph_get()
    placed = [obj.evaluated_get(graph).matrix_world.decompose() for obj in objects]
    locations = np.array([location for location, _, _ in placed], dtype=np.float64)
    return locations, np.array([rotation for _, rotation, _ in placed], dtype=np.float64)


def _compute_half_extents(bodies: Bodies) -> NDArray[np.float64]:
    """Half the smallest extent of each body (N,)."""
    extents = np.array([np.ptp(mesh.vertices, axis=0) for mesh in bodies.meshes])
    halves: NDArray[np.float64] = (0.5 * bodies.scales * extents[bodies.mesh_index]).min(axis=1)
    return halves


def compute_largest_overlap(
    bodies: Bodies, locations: NDArray[np.float64], quaternions: NDArray[np.float64], groups: NDArray[np.int64]
) -> float:
    """Deepest vertex of one mesh inside that of another group, as a fraction of the smaller body's half extent."""
    placed = _move_bodies(bodies, locations, quaternions)
    vertices = [compute_world_vertices(placed, index) for index in range(len(placed))]
    low = np.array([points.min(axis=0) for points in vertices])
    high = np.array([points.max(axis=0) for points in vertices])
    reaches: dict[int, NDArray[np.float64]] = {}
    trees: dict[int, BVHTree] = {}
    halves, deepest = _compute_half_extents(bodies), 0.0
    for index, points in enumerate(vertices):
        near = np.flatnonzero((low <= high[index]).all(axis=1) & (high >= low[index]).all(axis=1))
        apart = (groups[near] != groups[index]) | (groups[near] == 0)
        for other in near[apart & (near != index)]:
            inside = points[((points > low[other]) & (points < high[other])).all(axis=1)]
            if other not in reaches:
                reaches[other] = compute_supports(vertices[other], build_directions(0))[1]
            inside = inside[find_points_inside(inside, build_directions(0), reaches[other])]
            if not len(inside):
                continue
            if other not in trees:
                trees[other] = BVHTree.FromPolygons(vertices[other].tolist(), _list_triangles(bodies, other))
            deepest = max(deepest, _compute_depth(trees[other], inside) / float(min(halves[index], halves[other])))
    return deepest


def _move_bodies(bodies: Bodies, locations: NDArray[np.float64], quaternions: NDArray[np.float64]) -> Bodies:
    return type(bodies)(bodies.meshes, bodies.mesh_index, bodies.scales, quaternions, locations, bodies.is_sphere)


def _list_triangles(bodies: Bodies, index: int) -> list[list[int]]:
    triangles: list[list[int]] = bodies.meshes[bodies.mesh_index[index]].triangles.tolist()
    return triangles


def _compute_depth(tree: BVHTree, points: NDArray[np.float64]) -> float:
    """Return the largest depth of some points below the nearest face."""
    deepest = 0.0
    for point in points:
        nearest, normal, _, distance = tree.find_nearest(point)
        if nearest is not None and sum((a - b) * c for a, b, c in zip(point, nearest, normal, strict=True)) < 0:
            deepest = max(deepest, distance)
    return deepest
