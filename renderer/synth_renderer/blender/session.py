"""Blender's state between runs: an empty file, and which Blender it is."""

from __future__ import annotations

from synth_renderer.blender import bpy


def reset() -> None:
    """Start from an empty file.

    This package registers nothing in `bpy.app.handlers`: bpy 4.5 can hang at exit while a callback is left there.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)


def version() -> str:
    """Blender's version, `4.5.15`."""
    return ".".join(str(part) for part in bpy.app.version)
