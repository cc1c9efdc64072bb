"""The state file: the scene as Blender opens and renders it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.blender import bpy
from synth_renderer.blender.stage import stage

if TYPE_CHECKING:
    from pathlib import Path

    from synth_renderer.scene.staged import StagedScene


def save_state(scene: StagedScene, path: Path) -> None:
    """Write the staged scene as a compressed .blend. Raises RuntimeError when the file cannot be written."""
    stage(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False, compress=True, copy=True)
