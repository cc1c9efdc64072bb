"""The backends of Cycles, and which of them renders fastest on a GPU, start included.

OptiX traces with ray-tracing cores and needs the CUDA kernels too, so it never starts sooner than CUDA: it compiles its
own kernels besides, once where its module cache lasts and in each process otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from synth_renderer.kernels.machine_code import format_architecture, has_machine_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synth_renderer.kernels.gpus import CudaGpu
    from synth_renderer.kernels.machine_code import Capability

BACKENDS: Final = {"optix": "OPTIX", "cuda": "CUDA", "hip": "HIP", "oneapi": "ONEAPI"}
"""Device word -> Cycles' name."""
LABELS: Final = {"optix": "OptiX", "cuda": "CUDA", "hip": "HIP", "oneapi": "oneAPI"}
"""Device word -> name for people."""
_RAY_TRACING: Final = frozenset({(8, 6), (8, 9), (12, 0), (12, 1)})
"""Compute capabilities whose GPUs all have ray-tracing cores: Ampere's RTX, Ada Lovelace and Blackwell's RTX.

Those of data centres (7.0, 8.0, 9.0, 10.0, 10.3) have none. Source: NVIDIA's architecture whitepapers."""
_TURING: Final = (7, 5)
_TURING_WITH_RAY_TRACING: Final = re.compile(r"\bRTX\b|\bT4G?\b")
"""Turing's GPUs with ray-tracing cores, by name; the GTX 16 series, T400 to T2000 and MX450 have none."""
_MIG: Final = re.compile(r"\bMIG\b")
"""In the name of a MIG instance, which computes only: OptiX needs the graphics engine."""


def order_backends(gpus: Sequence[CudaGpu], *, cache_lasts: bool) -> tuple[str, ...]:
    """Return the device words from best to worst for the GPUs of a process.

    OptiX comes first if every GPU has ray-tracing cores and OptiX's module cache outlives the process, else CUDA.
    """
    optix_first = bool(gpus) and cache_lasts and all(map(has_ray_tracing_cores, gpus))
    return ("optix", "cuda", "hip", "oneapi") if optix_first else ("cuda", "optix", "hip", "oneapi")


def has_ray_tracing_cores(gpu: CudaGpu) -> bool:
    """Return True if OptiX is faster than CUDA on a GPU."""
    if _MIG.search(gpu.name):
        return False
    return gpu.capability in _RAY_TRACING or (
        gpu.capability == _TURING and _TURING_WITH_RAY_TRACING.search(gpu.name) is not None
    )


def describe_loading(
    gpus: Sequence[CudaGpu], backend: str, is_compiled: Callable[[Capability], bool] = has_machine_code
) -> str:
    """Return the sentence that says why a GPU's first picture takes time. Raises as `is_compiled`."""
    compiled = {gpu: is_compiled(gpu.capability) for gpu in gpus}
    named = describe_gpus([gpu for gpu in gpus if not compiled[gpu]] or gpus) or LABELS[backend]
    if gpus and not all(compiled.values()):
        return f"Compiling Cycles kernels for {named}; once per driver"
    once = "; OptiX compiles its own once per driver" if backend == "optix" else ""
    return f"Loading Cycles kernels for {named}{once}"


def describe_gpus(gpus: Sequence[CudaGpu]) -> str:
    """Return the distinct GPUs as `NVIDIA A100 (sm_80)`."""
    return ", ".join(dict.fromkeys(f"{gpu.name} ({format_architecture(gpu.capability)})" for gpu in gpus))
