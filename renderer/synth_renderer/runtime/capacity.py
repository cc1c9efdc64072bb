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


def compute_default_workers() -> int:
    """Return the default number of workers: one for every two processors, as far as free memory goes, at least one."""
    return max(1, min(int(count_processors() // 2), read_free_memory() // WORKER_MEMORY_BYTES))


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
