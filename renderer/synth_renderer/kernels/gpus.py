"""The NVIDIA GPUs that this process can use, as the driver reports them.

libcuda lists what Cycles will find: only the GPUs of CUDA_VISIBLE_DEVICES, and a MIG instance as a GPU of its own.
NVML, which knows the driver's version, lists all GPUs of the machine instead.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from synth_renderer.kernels.machine_code import Capability

CUDA_LIBRARY: Final = "libcuda.so.1"
NVML_LIBRARY: Final = "libnvidia-ml.so.1"
_MAJOR: Final = 75
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR; the minor one follows."""
_MAX_TEXT: Final = 256
"""Bytes of a name or version with its end."""


@dataclass(frozen=True)
class CudaGpu:
    """A GPU, or a MIG instance of one."""

    name: str
    """As the driver writes it: `NVIDIA H200`."""
    capability: Capability
    """CUDA compute capability."""


@cache
def list_gpus() -> tuple[CudaGpu, ...]:
    """Return the GPUs in the driver's order; none without a driver, or if it answers with an error."""
    try:
        cuda = ctypes.CDLL(CUDA_LIBRARY)
    except OSError:
        return ()
    count = ctypes.c_int()
    if cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count)):
        return ()
    return tuple(gpu for index in range(count.value) if (gpu := _read_gpu(cuda, index)))


def _read_gpu(cuda: ctypes.CDLL, index: int) -> CudaGpu | None:
    device, name, capability = ctypes.c_int(), ctypes.create_string_buffer(_MAX_TEXT), (ctypes.c_int * 2)()
    failed = (
        cuda.cuDeviceGet(ctypes.byref(device), index)
        or cuda.cuDeviceGetName(name, _MAX_TEXT, device)
        or cuda.cuDeviceGetAttribute(ctypes.byref(capability, 0), _MAJOR, device)
        or cuda.cuDeviceGetAttribute(ctypes.byref(capability, ctypes.sizeof(ctypes.c_int)), _MAJOR + 1, device)
    )
    return None if failed else CudaGpu(name.value.decode(errors="replace"), (capability[0], capability[1]))


@cache
def find_least_memory() -> int | None:
    """Return the bytes of memory of the smallest GPU or MIG instance; None without one or if the driver fails."""
    sizes = []
    for index in range(len(list_gpus())):
        device, size = ctypes.c_int(), ctypes.c_size_t()
        cuda = ctypes.CDLL(CUDA_LIBRARY)
        if not (cuda.cuDeviceGet(ctypes.byref(device), index) or cuda.cuDeviceTotalMem_v2(ctypes.byref(size), device)):
            sizes.append(size.value)
    return min(sizes, default=None)


@cache
def read_driver_version() -> str:
    """Return the version of NVIDIA's driver, such as `580.159.03`; empty if it is unknown."""
    version = ctypes.create_string_buffer(_MAX_TEXT)
    try:
        nvml = ctypes.CDLL(NVML_LIBRARY)
    except OSError:
        return ""
    if nvml.nvmlInit_v2():
        return ""
    failed = nvml.nvmlSystemGetDriverVersion(version, _MAX_TEXT)
    nvml.nvmlShutdown()
    return "" if failed else version.value.decode(errors="replace")
