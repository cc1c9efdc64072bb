"""The folder of Cycles kernels, and the CUDA architectures for which it has machine code.

For the architecture sm_90 Cycles loads `lib/kernel_sm_90.cubin.zst` if that file exists. Otherwise the driver compiles
the newest `lib/kernel_compute_XX.ptx.zst` that is not newer than the GPU, for minutes. Machine code of another minor
architecture is not tried, and no environment variable names another folder. Source: `CUDADevice::compile_kernel` in
`intern/cycles/device/cuda/device_impl.cpp` and `path_get` in `intern/cycles/util/path.cpp` of Blender.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from synth_api.errors import InputError
from synth_renderer.model.errors import OutdatedKernelError

Capability = tuple[int, int]
"""CUDA compute capability of a GPU, major and minor: (9, 0) is the architecture sm_90."""

_LIBRARY: Final = "*/scripts/addons_core/cycles/lib"
_ARCHITECTURE: Final = re.compile(r"sm_(\d{1,2})(\d)")
_PTX: Final = re.compile(r"kernel_compute_(\d{1,2})(\d)\.ptx\.zst")
_DIGEST_FRAME: Final = bytes.fromhex("502a4d18") + (32).to_bytes(4, "little")
"""Head of a Zstandard frame that readers skip (RFC 8878, 3.1.2), with 32 bytes of content: the digest of a PTX file."""


class KernelState(StrEnum):
    """What Cycles finds for an architecture."""

    SHIPPED = "shipped"
    """Machine code of bpy's wheel."""
    BUILT = "built"
    """Machine code that was built from the PTX of this bpy."""
    OUTDATED = "outdated"
    """Machine code that was built from the PTX of another bpy, whose data Cycles lays out in another way."""
    MISSING = "missing"
    """No machine code: the driver compiles."""


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


def find_ptx(library: Path, capability: Capability) -> Path:
    """Return the PTX file that Cycles gives to the driver of a GPU without machine code. Raises InputError."""
    found = {
        (int(match[1]), int(match[2])): path
        for path in library.iterdir()
        if (match := _PTX.fullmatch(path.name)) is not None
    }
    fitting = [each for each in found if each <= capability]
    if not fitting:
        raise InputError(str(library), f"holds no PTX of Cycles for {format_architecture(capability)}")
    return found[max(fitting)]


def build_digest_frame(ptx: Path) -> bytes:
    """Return what a built kernel ends with: a frame that readers of Zstandard skip, with the digest of its PTX file."""
    return _DIGEST_FRAME + hashlib.sha256(ptx.read_bytes()).digest()


def read_state(library: Path, capability: Capability) -> KernelState:
    """Return what Cycles finds for an architecture. Raises InputError for built machine code without its PTX."""
    try:
        frame = (library / name_kernel(capability)).read_bytes()[-len(_DIGEST_FRAME) - 32 :]
    except FileNotFoundError:
        return KernelState.MISSING
    if not frame.startswith(_DIGEST_FRAME):
        return KernelState.SHIPPED
    return KernelState.BUILT if frame == build_digest_frame(find_ptx(library, capability)) else KernelState.OUTDATED


def has_machine_code(capability: Capability, library: Path | None = None) -> bool:
    """Return True if Cycles finds machine code for a GPU, so that the driver compiles nothing for CUDA.

    `library` is the folder of Cycles kernels, by default that of the installed bpy. Raises InputError without one, and
    OutdatedKernelError for machine code that was built for another bpy, because Cycles would load it.
    """
    folder = library or find_library()
    state = read_state(folder, capability)
    if state is KernelState.OUTDATED:
        raise OutdatedKernelError(folder / name_kernel(capability), format_architecture(capability))
    return state is not KernelState.MISSING
