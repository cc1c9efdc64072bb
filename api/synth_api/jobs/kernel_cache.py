"""The kernel cache of GPU pods: where the operator mounts it, and the variables that tell a pod of it."""

from __future__ import annotations

from typing import Final

from synth_api.jobs.attempt_input import SCRATCH_FOLDER

KERNEL_CACHE_FOLDER: Final = "/kernels"
"""Where the volume that outlives the pod is mounted."""
KERNEL_CACHE_VARIABLE: Final = "SYNTH_KERNEL_CACHE"
"""Variable with this folder; unset without a kernel cache."""
KERNEL_CACHE_BYTES_VARIABLE: Final = "SYNTH_KERNEL_CACHE_BYTES"
"""Variable with the number of bytes that the archives in it may take together."""
DRIVER_CACHE_VARIABLE: Final = "SYNTH_DRIVER_CACHE"
"""Variable of GPU pods with the folder, on their own volume, in which the driver keeps what it compiles."""
DRIVER_CACHE_SIZES: Final = {name: str(2 << 30) for name in ("CUDA_CACHE_MAXSIZE", "OPTIX_CACHE_MAXSIZE")}
"""Variables with the bytes of the driver's caches.

By default drivers have 1 GiB for CUDA, older ones 256 MiB. A full cache drops one program for another, so that the
driver compiles both again and again."""
_DRIVER_FOLDER: Final = f"{SCRATCH_FOLDER}/driver"
DRIVER_VARIABLES: Final = {
    DRIVER_CACHE_VARIABLE: _DRIVER_FOLDER,
    "CUDA_CACHE_PATH": f"{_DRIVER_FOLDER}/cuda",
    "OPTIX_CACHE_PATH": f"{_DRIVER_FOLDER}/optix",
    **DRIVER_CACHE_SIZES,
}
"""Variables of GPU pods with folders of the driver and their sizes."""
