"""Loading of Cycles kernels onto the GPU before the first run: seconds, or minutes where the driver compiles them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from synth_dataset.documents.run_manifest import GpuRecord
from synth_renderer.blender import bpy
from synth_renderer.blender.cycles import trace_scene
from synth_renderer.blender.devices import list_device_names, select_device
from synth_renderer.blender.materials import get_material
from synth_renderer.blender.objects import forget_scene
from synth_renderer.blender.session import reset_session
from synth_renderer.kernels.backends import LABELS, describe_gpus, describe_loading
from synth_renderer.kernels.cache import name_key, share_kernels
from synth_renderer.kernels.gpus import list_gpus, read_driver_version
from synth_renderer.model.errors import DeviceFailedError, GpuMemoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PIXELS: Final = 4
"""Width and height of the picture."""
_SAMPLES: Final = 1
_BOUNCES: Final = 2
_MATERIALS: Final = ("plain", "sem_polystyrene", "sem_patchy_silicone", "default")


def load_kernels(device: str, announce: Callable[[str], None]) -> GpuRecord | None:
    """Render a picture of a few pixels on the device and return what it is; None for the CPU, which loads nothing.

    `announce` is called before, with a sentence that says what takes the time. Raises DeviceUnavailableError,
    OutdatedKernelError and DeviceFailedError.
    """
    used = select_device(device)
    if used == "cpu":
        return None
    gpus = list_gpus() if used in ("optix", "cuda") else ()
    driver = read_driver_version() if gpus else ""
    sentence = describe_loading(gpus, used)
    key = name_key((gpu.name for gpu in gpus), driver, bpy.app.version_string, used)
    start = time.perf_counter()
    try:
        with share_kernels(os.environ if gpus else {}, key, announce) as compiled:
            announce(f"Loading Cycles kernels for {describe_gpus(gpus)}" if compiled else sentence)
            _fill_scene()
            trace_scene(_SAMPLES, _BOUNCES, 0, used)
    except GpuMemoryError as error:  # not a run's fault: none is there
        raise DeviceFailedError(error.text) from error
    finally:
        forget_scene()
    return GpuRecord(
        name=_join(gpu.name for gpu in gpus) if gpus else _join(list_device_names(used)),
        compute_capability=_join("{}.{}".format(*gpu.capability) for gpu in gpus),
        driver=driver,
        backend=LABELS[used],
        startup_seconds=round(time.perf_counter() - start, 3),
    )


def _fill_scene() -> None:
    """Open a scene with the materials and lights of the traced techniques: OptiX compiles for what a scene has."""
    reset_session()
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = _PIXELS
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    for number, material in enumerate(_MATERIALS):
        mesh = bpy.data.meshes.new(material)
        mesh.from_pydata([(number - 2, -1, 0), (number - 1, -1, 0), (number - 1.5, 1, 0)], [], [(0, 1, 2)])
        mesh.materials.append(get_material(material))
        scene.collection.objects.link(bpy.data.objects.new(material, mesh))
    lamp = bpy.data.objects.new("Light", bpy.data.lights.new("Light", "POINT"))
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    lamp.location = scene.camera.location = (0.0, 0.0, 10.0)
    scene.collection.objects.link(lamp)
    scene.collection.objects.link(scene.camera)


def _join(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
