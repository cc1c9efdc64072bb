"""The environment in state files of the signal model, whose pictures need no Blender: even white light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.techniques.base.environment import add_substrate, add_volume, add_world, set_background

if TYPE_CHECKING:
    from synth_renderer.blender import bpy
    from synth_renderer.model.staged_scene import StagedTechnique


def build_environment(scene: bpy.types.Scene, technique: StagedTechnique) -> None:
    """Add measurement volume, substrate and white world."""
    add_volume(scene, technique.volume)
    add_substrate(scene, technique)
    tree = add_world(scene)
    set_background(tree, tree.add_node("ShaderNodeBackground", Color=(1.0, 1.0, 1.0, 1.0)))
