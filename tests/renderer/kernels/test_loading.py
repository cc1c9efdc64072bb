"""What Cycles itself gives to the driver, a fake one that keeps the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import zstandard

from synth_renderer.kernels.build import build_kernel
from synth_renderer.kernels.machine_code import format_architecture, name_kernel

if TYPE_CHECKING:
    from synth_renderer.kernels.machine_code import Capability

RENDER: Final = """
import sys, bpy, _cycles
_cycles.init(sys.argv[1], sys.argv[1], True)
preferences = bpy.context.preferences.addons["cycles"].preferences
preferences.compute_device_type = "CUDA"
for device in preferences.get_devices_for_type("CUDA"):
    device.use = device.type == "CUDA"
bpy.context.scene.render.engine, bpy.context.scene.cycles.device = "CYCLES", "GPU"
bpy.ops.render.render()
"""


def load(library: Path, driver: dict[str, str], architecture: int) -> bytes:
    """Return the program that Cycles gives to the driver of a GPU of an architecture."""
    program = library.with_name("program")
    gpu = {"FAKE_CUDA_CAPABILITY": str(architecture), "FAKE_CUDA_PROGRAM": str(program)}
    subprocess.run([sys.executable, "-c", RENDER, library.parent], env={**driver, **gpu}, check=True)
    return program.read_bytes()


def test_without_machine_code_of_its_own_a_gpu_gets_ptx(
    library: Path, cuda_driver: dict[str, str], cut_ptx: bytes
) -> None:
    build_kernel((8, 0), library, library.with_name("cache"), lambda _: None)

    assert load(library, cuda_driver, 90) == load(library, cuda_driver, 87) == cut_ptx


@pytest.mark.parametrize("capability", [(9, 0), (10, 0)], ids=format_architecture)
def test_a_built_kernel_is_what_cycles_gives_to_the_driver(
    library: Path, cuda_driver: dict[str, str], capability: Capability
) -> None:
    build_kernel(capability, library, library.with_name("cache"), lambda _: None)

    machine_code = zstandard.ZstdDecompressor().decompress((library / name_kernel(capability)).read_bytes())
    major, minor = capability
    assert load(library, cuda_driver, 10 * major + minor) == machine_code
