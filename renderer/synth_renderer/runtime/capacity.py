"""Processors and memory that this process may use, and the number of workers that fit into them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from synth_renderer.runtime.cgroups import read_allowance

if TYPE_CHECKING:
    from pathlib import PurePosixPath

WORKER_MEMORY_BYTES: Final = 1 << 30
"""Bytes that a worker may need; no more workers by default than fit."""
GPU_POD_WORKER_BYTES: Final = 2 << 30
"""Bytes of a pod's memory limit per worker that traces on a GPU: the driver keeps some of them in each process."""
GPU_WORKER_BYTES: Final = 4 << 30
"""Bytes of GPU memory per worker, by Cycles' source and not measured.

Cycles allocates 16 path states for each thread that the GPU can hold (`CUDADeviceQueue::num_concurrent_states`), 4.3
million on 132 multiprocessors, beside a CUDA context, machine code and a scene of some megabytes.
"""


def compute_default_workers() -> int:
    """Return the default number of workers: one for every two processors, as far as free memory goes, at least one."""
    return max(1, min(int(count_processors() // 2), read_free_memory() // WORKER_MEMORY_BYTES))


def choose_pod_workers(wanted: int | None, runs: int, gpu_memory: int | None) -> int:
    """Return the number of workers of a pod with `runs` to render, at least one.

    `gpu_memory` are the bytes of its smallest GPU, None without one; no more workers than fit are ever chosen. `wanted`
    None means one per processor and GPU_POD_WORKER_BYTES of the memory limit with a GPU, and one without.
    """
    fitting = runs if gpu_memory is None else min(runs, gpu_memory // GPU_WORKER_BYTES)
    if wanted is None:
        wanted = 1
        if gpu_memory is not None:
            wanted = min(int(count_processors()), read_memory_limit() // GPU_POD_WORKER_BYTES)
    return max(1, min(wanted, fitting))


def choose_thread_counts(workers: int) -> dict[str, str]:
    """Return environment variables that divide the processors among workers; none for a single one.

    OMP_NUM_THREADS also is the number of Cycles' threads.
    """
    if workers == 1:
        return {}
    threads = str(max(1, int(count_processors() // workers)))
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), threads)


def count_processors() -> float:
    """Return the processors that this process may run on, or the processor time of its control groups if less."""
    machine = len(os.sched_getaffinity(0))
    allowed = read_allowance(_read).processors
    return machine if allowed is None else min(machine, allowed)


def read_free_memory() -> int:
    """Return the bytes that this process may still allocate, of the machine and of its control groups."""
    machine: int = psutil.virtual_memory().available
    allowed = read_allowance(_read).free_memory
    return machine if allowed is None else min(machine, allowed)


def read_memory_limit() -> int:
    """Return the bytes that the control groups of this process may use, at most the machine's."""
    machine: int = psutil.virtual_memory().total
    allowed = read_allowance(_read).memory
    return machine if allowed is None else min(machine, allowed)


def _read(file: PurePosixPath) -> str | None:
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError):
        return None
