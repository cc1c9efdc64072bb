"""Selection of the device on which Cycles renders."""

from __future__ import annotations

import os

from synth_renderer.blender import bpy
from synth_renderer.kernels.backends import BACKENDS, order_backends
from synth_renderer.kernels.cache import has_lasting_cache
from synth_renderer.kernels.gpus import list_gpus
from synth_renderer.model.errors import DeviceUnavailableError


def select_device(device: str) -> str:
    """Set the device of Cycles and return the name of the chosen one.

    `auto` is the best there is, `gpu` any but the CPU. Raises `DeviceUnavailableError`.
    """
    for word in _list_candidates(device):
        if word == "cpu" or _is_available(word):
            _use_device(word)
            return word
    raise DeviceUnavailableError(device, [word for word in BACKENDS if _is_available(word)] + ["cpu"])


def list_device_names(word: str) -> list[str]:
    """Return the names of the GPUs that Cycles uses with a backend, in its order."""
    return [device.name for device in _list_devices(word)]


def _list_candidates(device: str) -> list[str]:
    """Return the devices to try in order; those of a GPU are the best for the GPUs of this process."""
    if device not in ("auto", "gpu"):
        return [device]
    backends = order_backends(list_gpus(), cache_lasts=has_lasting_cache(os.environ))
    return [*backends, "cpu"] if device == "auto" else [*backends]


def _read_preferences() -> bpy.types.AddonPreferences:
    return bpy.context.preferences.addons["cycles"].preferences


def _is_available(word: str) -> bool:
    backends = {item[0] for item in _read_preferences().get_device_types(bpy.context)}
    return BACKENDS[word] in backends and bool(_list_devices(word))


def _list_devices(word: str) -> list[bpy.types.PropertyGroup]:
    backend = BACKENDS[word]
    return [device for device in _read_preferences().get_devices_for_type(backend) if device.type == backend]


def _use_device(word: str) -> None:
    scene = bpy.context.scene
    scene.cycles.device = "CPU" if word == "cpu" else "GPU"
    if word == "cpu":
        return
    _read_preferences().compute_device_type = BACKENDS[word]
    chosen = {device.id for device in _list_devices(word)}
    for device in _read_preferences().devices:
        device.use = device.id in chosen
