"""Engines for sweeps on the cluster: a ConfigMap mounts this file into render pods, so the image needs no change.

The run's seed and the pod's environment decide what an engine does to a run.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

LIE: Final = Path("/scratch/lie")
"""Termination message that the first process of a pod ends with."""


def render_faulty(recipe: Any, folder: Path, device: str) -> Any:
    """Render with the real engine; seeds in DEADLY end the process, seeds in GREEDY exceed the memory limit."""
    seed = str(recipe.initial_runtime_state.seed)
    if seed in os.environ.get("DEADLY", "").split(","):
        os.kill(os.getpid(), signal.SIGSEGV)
    if seed in os.environ.get("GREEDY", "").split(","):
        _ = b"x" * (8 << 30)
    from synth_renderer.engine import render

    return render(recipe, folder, device)


def render_held(recipe: Any, folder: Path, device: str) -> Any:
    """Render nothing; seeds in HELD first wait for a file `go` on the scratch volume."""
    while str(recipe.initial_runtime_state.seed) in os.environ["HELD"].split(",") and not Path("/scratch/go").exists():
        time.sleep(0.1)
    return render_nothing(recipe, folder, device)


def render_lying(recipe: Any, folder: Path, device: str) -> Any:
    """Render nothing; for the seeds in LIES, have the pod end with another termination message than its own."""
    lie = json.loads(os.environ["LIES"]).get(str(recipe.initial_runtime_state.seed))
    if lie is not None:
        LIE.with_suffix(".new").write_text(lie.replace("BATCH", os.environ["JOB_COMPLETION_INDEX"]))
        LIE.with_suffix(".new").rename(LIE)
        threading.Event().wait()
    return render_nothing(recipe, folder, device)


def await_lie() -> None:
    """In the pod's first process, which starts the workers, end the pod once an engine has written a lie."""
    if os.getpid() == 1 and "LIES" in os.environ:
        threading.Thread(target=_tell_lie, daemon=True).start()


def _tell_lie() -> None:
    while not LIE.exists():
        time.sleep(0.05)
    Path("/dev/termination-log").write_text(LIE.read_text())
    os._exit(70)


def render_nothing(recipe: Any, folder: Path, device: str) -> Any:
    """Wait 10 ms and write the smallest files that make a run."""
    import pyarrow as pa

    from synth_dataset.documents.particle_table import write_table

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
