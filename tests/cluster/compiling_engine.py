"""An engine whose driver compiles, mounted like the trial engines beside it: through the product's own kernel cache."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trial import render_nothing

from synth_dataset.documents.run_manifest import GpuRecord
from synth_renderer.kernels.cache import share_kernels

if TYPE_CHECKING:
    from collections.abc import Callable

COMPILATIONS: Final = Path("/kernels/compilations")
"""File of the kernel cache with the host name of each pod that has compiled."""
KERNEL: Final = random.Random(42).randbytes(1 << 22)

__all__ = ["prepare_device", "render_nothing"]


def prepare_device(device: str, announce: Callable[[str], None]) -> GpuRecord:
    """Compile unless another pod has, until a file `go` is on the scratch volume. Raises ValueError for a torn file."""
    kernel = Path(os.environ["CUDA_CACHE_PATH"], "kernel")
    with share_kernels(os.environ, "trial-gpu", announce) as is_compiled:
        if not is_compiled:
            announce("Compiling kernels for a trial GPU")
            while not Path("/scratch/go").exists():
                time.sleep(0.1)
            kernel.parent.mkdir(parents=True)
            kernel.write_bytes(KERNEL)
            with COMPILATIONS.open("a") as log:
                log.write(f"{os.environ['HOSTNAME']}\n")
    if kernel.read_bytes() != KERNEL:
        raise ValueError("the kernel in this pod is not the one that was compiled")
    return GpuRecord(name="Trial GPU", compute_capability="9.0", driver="1", backend="CUDA", startup_seconds=1.0)
