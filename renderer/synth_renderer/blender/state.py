"""The state file: the scene as a .blend file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_renderer.blender import bpy
from synth_renderer.blender.objects import show_bodies

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from synth_renderer.blender.objects import EnvironmentBuilder
    from synth_renderer.model.staged_scene import StagedScene


def write_state_file(
    scene: StagedScene, build_environment: EnvironmentBuilder, path: Path, shown: NDArray[np.bool_]
) -> None:
    """Write the staged scene as a compressed .blend in which the bodies `shown` (N,) are rendered, the others hidden.

    Raises RuntimeError when the file cannot be written.
    """
    with show_bodies(scene, build_environment, shown, shown):
        bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False, compress=True, copy=True)
