"""The Blender session of this process: reset, version, output."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from synth_renderer.blender import bpy

if TYPE_CHECKING:
    from collections.abc import Iterator


def reset_session() -> None:
    """Replace the open Blender file by an empty one.

    This package registers nothing in `bpy.app.handlers`: bpy 4.5 can hang at exit while a callback is left there.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)


def read_version() -> str:
    """Return Blender's version, for example `4.5.15`."""
    return ".".join(str(part) for part in bpy.app.version)


@contextmanager
def silence_stdout() -> Iterator[None]:
    """Suppress output of Blender's C code on stdout: Cycles prints 45 lines of progress per picture."""
    sys.stdout.flush()
    stdout = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
