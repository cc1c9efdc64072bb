"""Engines for sweeps on the cluster: this file is mounted into render pods, whose image stays what it is.

What an engine does to a run follows from the run's seed and from the environment of its pod.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def faulty(recipe: Any, folder: Path, device: str) -> Any:
    """The real engine, but for the seeds in DEADLY, which end the process, and in GREEDY, which want all memory."""
    seed = str(recipe.initial_runtime_state.seed)
    if seed in os.environ.get("DEADLY", "").split(","):
        os._exit(128 + signal.SIGSEGV)  # process 1 of a container ignores the signals that it sends itself
    if seed in os.environ.get("GREEDY", "").split(","):
        _ = b"x" * (8 << 30)
    from synth_renderer.engine import render

    return render(recipe, folder, device)


def held(recipe: Any, folder: Path, device: str) -> Any:
    """Nothing; for the seeds in HELD not before there is a file `go` on the scratch volume."""
    while str(recipe.initial_runtime_state.seed) in os.environ["HELD"].split(",") and not Path("/scratch/go").exists():
        time.sleep(0.1)
    return null(recipe, folder, device)


def null(recipe: Any, folder: Path, device: str) -> Any:
    """Ten milliseconds of nothing, and the least files that make a run."""
    import pyarrow as pa

    from synth_dataset.documents.particles import write_table

    time.sleep(0.01)
    (folder / "annotations.json").write_text('{"width": 4, "height": 4, "particles": []}')
    write_table(folder / "particles.parquet", pa.table({"volume": pa.array([], pa.float64())}))
    return SimpleNamespace(
        device=device,
        seconds={"nothing": 0.01},
        width=4,
        height=4,
        pixel_size=0.1,
        depth_range=None,
        particles=0,
        visible=0,
        physics=(),
        gates=(),
        label_digest=f"{recipe.initial_runtime_state.seed:064x}",
    )
