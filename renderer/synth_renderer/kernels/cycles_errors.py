"""What Cycles' error messages about GPUs mean: out of memory, or a GPU that no run can use any more.

Sources: `set_error` in `intern/cycles/device/` of Blender 4.5: `%s in CUDA queue %s (%s)`, `%s in %s (%s:%d)` of a
call of the driver, `Failed to … CUDA … (%s)`, `System is out of GPU memory`, and the same of HIP, OptiX and oneAPI. The
first words are the driver's: `Illegal address`, `Uncorrectable ECC error detected`, `Unknown error`. Blender writes
`Error: ` before each, and a Python operator raises them as RuntimeError.
"""

from __future__ import annotations

import re
from typing import Final

from synth_renderer.model.errors import DeviceFailedError, GpuMemoryError

_GPU: Final = re.compile(
    r"\b(CUDA|HIP|HIPRT|OptiX|oneAPI)\b|\bOPTIX_ERROR_|\b(cu|hip|optix)[A-Z]\w*\(|\bGPU (and shared host )?memory\b"
)
_OUT_OF_MEMORY: Final = re.compile(r"out[ _]of[ _](\w+[ _])*memory", re.IGNORECASE)
_PREFIX: Final = re.compile(r"^(Error:\s*)+")


def find_gpu_error(text: str) -> DeviceFailedError | GpuMemoryError | None:
    """Return the error that a message of Blender stands for; None if it is not about a GPU."""
    lines = [_PREFIX.sub("", line.strip()) for line in text.splitlines()]
    line = next((line for line in lines if _GPU.search(line)), None)
    if line is None:
        return None
    return GpuMemoryError(line) if _OUT_OF_MEMORY.search(line) else DeviceFailedError(line)
