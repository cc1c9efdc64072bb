"""The folder of Cycles kernels, and the CUDA architectures for which it has machine code.

For the architecture sm_90 Cycles loads `lib/kernel_sm_90.cubin.zst` if that file exists. Otherwise the driver compiles
the newest `lib/kernel_compute_XX.ptx.zst` that is not newer than the GPU, for minutes. Machine code of another minor
architecture is not tried, and no environment variable names another folder. Source: `CUDADevice::compile_kernel` in
`intern/cycles/device/cuda/device_impl.cpp` and `path_get` in `intern/cycles/util/path.cpp` of Blender.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from synth_api.errors import InputError

Capability = tuple[int, int]
"""CUDA compute capability of a GPU, major and minor: (9, 0) is the architecture sm_90."""

_LIBRARY: Final = "*/scripts/addons_core/cycles/lib"
_ARCHITECTURE: Final = re.compile(r"sm_(\d{1,2})(\d)")


def format_architecture(capability: Capability) -> str:
    """Return the architecture's name as compilers write it, such as `sm_90`."""
    return "sm_{}{}".format(*capability)


def parse_architecture(text: str) -> Capability:
    """Parse a name such as `sm_90`, `sm_120`. Raises InputError."""
    match = _ARCHITECTURE.fullmatch(text)
    if match is None:
        raise InputError(
            "--arch", f"'{text}' is not an architecture; write sm_ and the compute capability, such as sm_90"
        )
    return int(match[1]), int(match[2])


def find_library() -> Path:
    """Return the folder of Cycles kernels in the installed bpy, without importing it. Raises InputError."""
    spec = find_spec("bpy")
    places = spec.submodule_search_locations if spec else None
    found = [folder for place in places or () for folder in Path(place).glob(_LIBRARY)]
    if not found:
        raise InputError("bpy", "is not installed with Cycles here; install synth-operator[local]")
    return found[0]


def name_kernel(capability: Capability) -> str:
    """Return the name of the file with machine code that Cycles looks for."""
    return f"kernel_{format_architecture(capability)}.cubin.zst"


def has_machine_code(capability: Capability, library: Path | None = None) -> bool:
    """Return True if Cycles finds machine code for a GPU, so that the driver compiles nothing for CUDA.

    `library` is the folder of Cycles kernels, by default that of the installed bpy. Raises InputError without one.
    """
    return ((library or find_library()) / name_kernel(capability)).is_file()
