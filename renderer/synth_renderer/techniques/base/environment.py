"""The parts of an environment: measurement volume, substrate and world of a Blender scene. Imports bpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.blender import bpy
from synth_renderer.blender.materials import get_material
from synth_renderer.blender.nodes import NodeTree
from synth_renderer.techniques.base.feature_values import read_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_renderer.model.staged_scene import Box, StagedTechnique


def add_volume(scene: bpy.types.Scene, volume: Box) -> None:
    """Add the measurement volume as a wire frame, which only the viewport shows."""
    corners = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    bounds = list(zip(volume.lower, volume.upper, strict=True))
    vertices = [tuple(bounds[axis][side] for axis, side in enumerate(corner)) for corner in corners]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    obj = _add_mesh(scene, "MeasurementVolume", vertices, faces)
    obj.data.materials.append(get_material("vacuum"))
    obj.hide_render = True
    obj.display_type = "WIRE"


def add_substrate(scene: bpy.types.Scene, technique: StagedTechnique) -> None:
    """Add a square on the floor of the volume, as wide as the view; its object carries the background's features."""
    camera, z = technique.camera, technique.volume.lower[2]
    assert camera.ortho_scale is not None
    half = camera.ortho_scale / 2
    corners = [(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)]
    obj = _add_mesh(scene, "Substrate", corners, [(0, 1, 2, 3)])
    obj.data.materials.append(get_material(technique.background_material))
    obj.color = technique.features.get("color", (0.8, 0.8, 0.8, 1.0))
    for name in ("roughness", "patch_scale", "patch_seed"):
        if name in technique.features:
            obj[name] = read_number(technique.features, name)


def _add_mesh(
    scene: bpy.types.Scene, name: str, vertices: Sequence[tuple[float, ...]], faces: Sequence[tuple[int, ...]]
) -> bpy.types.Object:
    data = bpy.data.meshes.new(name)
    data.from_pydata(list(vertices), [], list(faces))
    obj = bpy.data.objects.new(name, data)
    scene.collection.objects.link(obj)
    return obj


def add_world(scene: bpy.types.Scene) -> NodeTree:
    """Give the Blender scene a new world and return its emptied node tree."""
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    return NodeTree(scene.world.node_tree)


def set_background(tree: NodeTree, background: bpy.types.Node) -> None:
    """Connect a background node to the output of a world's node tree."""
    tree.connect(background.outputs[0], tree.add_node("ShaderNodeOutputWorld").inputs["Surface"])
