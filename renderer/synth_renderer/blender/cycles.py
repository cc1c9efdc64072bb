"""Tracing the open Blender scene into an array."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")

import cv2
import numpy as np

from synth_renderer.blender import bpy
from synth_renderer.blender.devices import select_device
from synth_renderer.blender.session import silence_stdout
from synth_renderer.kernels.cycles_errors import find_gpu_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


_PIXEL_BYTES: Final = 12
"""Bytes per pixel of an uncompressed EXR: three 32-bit floats."""


@dataclass(frozen=True)
class TracedPicture:
    """Scene-linear radiance (H, W, 3) float32 RGB and the device word that traced it."""

    radiance: NDArray[np.float32]
    device: str


def trace_scene(samples: int, bounces: int, seed: int, device: str) -> TracedPicture:
    """Render the open scene with Cycles at exposure 1; seed is any integer >= 0, folded to 31 bits.

    Samples are fixed and nothing is denoised, so equal inputs give equal pixels on one device. Raises
    `DeviceUnavailableError`, `DeviceFailedError` and `GpuMemoryError`.
    """
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal() and int(threads):  # Cycles takes all processors, also beside other workers
        scene.render.threads_mode, scene.render.threads = "FIXED", int(threads)
    used = select_device(device)
    cycles = scene.cycles
    cycles.samples, cycles.seed = samples, seed % (2**31 - 1)
    cycles.use_adaptive_sampling = cycles.use_denoising = cycles.use_light_tree = False
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = bounces
    cycles.filter_width = 1.0
    with _override_properties(cycles, film_exposure=1.0):
        return TracedPicture(_render_to_array(scene), used)


@contextmanager
def _override_properties(owner: bpy.types.bpy_struct, **values: float) -> Iterator[None]:
    """Set properties in the `with` block and restore them after it."""
    before = {name: getattr(owner, name) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def _render_to_array(scene: bpy.types.Scene) -> NDArray[np.float32]:
    """Render through an EXR file, because bpy gives no pixels without a window. Raises OSError if it is not written."""
    image = scene.render.image_settings
    image.file_format, image.color_mode, image.color_depth, image.exr_codec = "OPEN_EXR", "RGB", "32", "NONE"
    with tempfile.TemporaryDirectory(prefix="synth-trace-") as folder, _open_ascii_path(folder) as plain:
        path = plain / "radiance.exr"
        scene.render.filepath = str(path)
        _render_to_file()
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        scene.render.filepath = ""
        if pixels is None:
            raise _build_write_error(path, scene.render.resolution_x * scene.render.resolution_y * _PIXEL_BYTES)
    return np.ascontiguousarray(pixels[:, :, ::-1], dtype=np.float32)


def _render_to_file() -> None:
    """Render the picture of the scene's path. Raises GpuMemoryError and DeviceFailedError."""
    try:
        with silence_stdout():
            bpy.ops.render.render(write_still=True)
    except RuntimeError as error:  # for every error that Cycles reports
        gpu_error = find_gpu_error(str(error))
        if gpu_error is None:
            raise
        raise gpu_error from error


@contextmanager
def _open_ascii_path(folder: str) -> Iterator[Path]:
    """Yield a path of ASCII letters and digits to the same folder.

    Blender takes `{x}` in an output path for a template, and OpenCV crashes on a path that is not UTF-8.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _build_write_error(path: Path, size: int) -> OSError:
    """Return the error of an unwritten picture: Blender reports none, so the free space decides between causes."""
    code = errno.ENOSPC if shutil.disk_usage(path.parent).free < size else errno.EIO
    return OSError(code, f"Blender has not written the traced picture: {os.strerror(code)}")
