"""Drift of memory and CPU time of a worker: many small runs in one process, last runs compared with first ones.

python bench/drift.py [RUNS]      exit code 1 when memory or CPU time per run rise by more than 5 %
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

from synth_api.sweep.definition import Sweep
from synth_renderer.blender.session import silence_stdout
from synth_renderer.engine import render

WINDOW = 0.25
"""Share of the runs in each of the two windows; the first tenth is warm-up."""
LIMIT = 0.05
ARGUMENTS = [
    "blueprints.particles.Bead.number=20",
    "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10",
]


def measure(runs: int) -> list[tuple[float, int]]:
    """Return CPU seconds and resident bytes after each run, seeds 0 to runs - 1."""
    sweep = Sweep.load(Path("recipes/spheres_sem.yaml"), [*ARGUMENTS, f"initial_runtime_state.seed=range({runs})"])
    memory = psutil.Process().memory_info
    samples = []
    for run in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            render(sweep.build_recipe(run), Path(folder), "cpu")
            seconds = time.process_time() - start
        samples.append((seconds, memory().rss))
    return samples


def compute_drift(values: list[float]) -> float:
    """Return the relative rise of the median from the first window after the warm-up to the last window."""
    width = max(1, int(len(values) * WINDOW))
    warm = len(values) // 10
    first, last = median(values[warm : warm + width]), median(values[-width:])
    return last / first - 1


def main(runs: int = 200) -> int:
    with silence_stdout():
        samples = measure(runs)
    seconds = compute_drift([seconds for seconds, _ in samples])
    memory = compute_drift([float(rss) for _, rss in samples])
    print(f"{runs} runs: CPU time per run {seconds:+.1%}, memory {memory:+.1%} (limit {LIMIT:.0%})")
    sys.stdout.flush()
    return int(max(seconds, memory) > LIMIT)


if __name__ == "__main__":
    code = main(*map(int, sys.argv[1:]))
    # bpy 4.5 can hang in a static destructor.
    os._exit(code)
