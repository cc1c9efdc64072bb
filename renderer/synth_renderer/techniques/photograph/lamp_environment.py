"""The environment of the photograph: a point lamp, and grey light from everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.blender import bpy
from synth_renderer.techniques.base.environment import add_volume, add_world, set_background

if TYPE_CHECKING:
    from synth_renderer.model.staged_scene import StagedTechnique


def build_environment(scene: bpy.types.Scene, technique: StagedTechnique) -> None:
    """Add measurement volume, lamp and world."""
    add_volume(scene, technique.volume)
    lamp = bpy.data.objects.new("Light", bpy.data.lights.new("Light", "POINT"))
    lamp.data.energy = 1000.0
    lamp.location = (4.0, 1.0, 6.0)
    scene.collection.objects.link(lamp)
    tree = add_world(scene)
    set_background(tree, tree.add_node("ShaderNodeBackground", Color=(0.05, 0.05, 0.05, 1.0)))
