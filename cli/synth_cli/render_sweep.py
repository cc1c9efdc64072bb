"""A sweep rendered on this machine: what is missing, an attempt, a pool of workers, the dataset."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from synth_api.exit_codes import ExitCode
from synth_api.recipe.canonical import canonical_tree
from synth_cli.interrupts import Interrupts
from synth_cli.progress import meter
from synth_cli.run_numbers import parse_run_numbers
from synth_cli.tally import Tally, tell
from synth_cli.terminal import count, stderr, stdout
from synth_renderer.pool import Pool, PoolUnavailableError, RunStarted
from synth_renderer.run_task import RunTask
from synth_renderer.worker_handle import WorkerCommand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from synth_api.sweep.sweep import Sweep

WORKER_MEMORY: Final = 1 << 30
"""Bytes that a worker may need; no more workers by default than fit."""


@dataclass(frozen=True)
class Settings:
    """How to render; nothing here is part of a run's key."""

    workers: int | None
    """None: one for every two processors, as far as memory goes. Tracing uses all processors, the rest of a run one."""
    only: str | None
    device: str
    engine: str
    """Import path `module:function`."""


def default_workers() -> int:
    """Half the processors this process may use, at most what memory allows, at least one."""
    processors = len(os.sched_getaffinity(0))
    by_memory = int(psutil.virtual_memory().available // WORKER_MEMORY)
    return max(1, min(processors // 2, by_memory))
