"""A staged scene as a Blender scene: shared meshes and materials, objects made through data."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_renderer.blender import bpy, session
from synth_renderer.blender.materials import get_material

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from synth_renderer.model.bodies import Bodies
    from synth_renderer.model.camera import Camera
    from synth_renderer.model.mesh import Mesh
    from synth_renderer.model.staged_scene import FeatureColumn, StagedScene, StagedTechnique

    EnvironmentBuilder = Callable[[bpy.types.Scene, StagedTechnique], None]
    """Adds light, substrate and measurement volume to a Blender scene that has camera and particles."""

_staged: list[StagedScene] = []
"""The scene in the open Blender file, at most one; the reference keeps its `id` from being reused."""


def build_scene(scene: StagedScene, build_environment: EnvironmentBuilder) -> bpy.types.Scene:
    """Return the open Blender scene, rebuilt unless it is of this scene; particle i has pass index i + 1."""
    if not (_staged and _staged[0] is scene):
        _staged.clear()
        session.reset_session()
        _fill_scene(scene, build_environment)
        _staged.append(scene)
    return bpy.context.scene


def forget_scene() -> None:
    """Rebuild at the next `build_scene`, because another Blender file is open."""
    _staged.clear()


@contextmanager
def show_bodies(
    scene: StagedScene,
    build_environment: EnvironmentBuilder,
    present: NDArray[np.bool_],
    in_camera: NDArray[np.bool_],
) -> Iterator[None]:
    """Build the scene and, in the `with` block, show the bodies `present` (N,); those not `in_camera` only shadow."""
    build_scene(scene, build_environment)
    objects = bpy.data.collections["Particles"].objects
    try:
        for obj in objects:
            obj.hide_render = not present[obj.pass_index - 1]
            obj.visible_camera = bool(in_camera[obj.pass_index - 1])
        yield
    finally:
        for obj in objects:
            obj.hide_render, obj.visible_camera = False, True


def _fill_scene(scene: StagedScene, build_environment: EnvironmentBuilder) -> None:
    blender_scene = bpy.context.scene
    _add_camera(blender_scene, scene.technique.camera)
    _add_particles(blender_scene, scene)
    build_environment(blender_scene, scene.technique)


def _add_camera(blender_scene: bpy.types.Scene, camera: Camera) -> None:
    data = bpy.data.cameras.new("Camera")
    data.clip_start, data.clip_end = 0.1, 10000.0
    data.sensor_fit = "AUTO"
    if camera.ortho_scale is None:
        data.lens, data.sensor_width = camera.focal_length, camera.sensor_width
    else:
        data.type, data.ortho_scale = "ORTHO", camera.ortho_scale
    obj = bpy.data.objects.new("Camera", data)
    obj.rotation_mode = "QUATERNION"
    obj.location, obj.rotation_quaternion = camera.location, camera.quaternion
    blender_scene.collection.objects.link(obj)
    blender_scene.camera = obj
    render = blender_scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = camera.width, camera.height, 100


def _add_particles(blender_scene: bpy.types.Scene, scene: StagedScene) -> None:
    collection = bpy.data.collections.new("Particles")
    blender_scene.collection.children.link(collection)
    shared: dict[tuple[int, str], bpy.types.Mesh] = {}
    sizes = _measure_largest(scene)
    for index, name in enumerate(scene.names):
        kind = int(scene.bodies.mesh_index[index]), scene.materials[index]
        if kind not in shared:
            shared[kind] = _make_mesh_data(scene.geometries[index], scene.bodies.meshes[kind[0]], get_material(kind[1]))
        obj = bpy.data.objects.new(name, shared[kind])
        obj.pass_index = index + 1
        _place(obj, scene.bodies, index)
        _set_appearance(obj, scene.features, index)
        if _find_value(scene.features, "bump_strength", index) is not None:
            obj["bump_scale"] = 1.0 / sizes[scene.blueprints[index]]
        collection.objects.link(obj)


def _measure_largest(scene: StagedScene) -> dict[str, float]:
    """Return the mean extent of each blueprint's largest body, scene units: textures of fused balls have one scale."""
    sizes: dict[str, float] = {}
    for index, blueprint in enumerate(scene.blueprints):
        extents = scene.bodies.scales[index] * scene.bodies.meshes[scene.bodies.mesh_index[index]].extents
        sizes[blueprint] = max(sizes.get(blueprint, 1e-6), float(extents.mean()))
    return sizes


def _make_mesh_data(name: str, mesh: Mesh, shared_material: bpy.types.Material) -> bpy.types.Mesh:
    data = bpy.data.meshes.new(name)
    corners = len(mesh.triangles) * 3
    data.vertices.add(len(mesh.vertices))
    data.vertices.foreach_set("co", _flatten(mesh.vertices))
    data.loops.add(corners)
    data.loops.foreach_set("vertex_index", mesh.triangles.ravel())
    data.polygons.add(len(mesh.triangles))
    data.polygons.foreach_set("loop_start", np.arange(0, corners, 3, dtype=np.int32))
    data.update(calc_edges=True)
    data.normals_split_custom_set_from_vertices(mesh.normals)
    data.materials.append(shared_material)
    return data


def _flatten(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(vectors, dtype=np.float32).ravel()


def _place(obj: bpy.types.Object, bodies: Bodies, index: int) -> None:
    obj.rotation_mode = "QUATERNION"
    obj.location = bodies.locations[index]
    obj.rotation_quaternion = bodies.quaternions[index]
    obj.scale = bodies.scales[index]


def _set_appearance(obj: bpy.types.Object, features: Mapping[str, FeatureColumn], index: int) -> None:
    color = _find_value(features, "color", index)
    if color is not None:
        obj.color = color
    for name in ("roughness", "bump_strength"):
        value = _find_value(features, name, index)
        if value is not None:
            obj[name] = float(value)


def _find_value(features: Mapping[str, FeatureColumn], name: str, index: int) -> Any:
    column = features.get(name)
    return column.values[index] if column is not None and column.present[index] else None
