"""Whether a worker grows or slows down: many small runs in one process, the end compared with the beginning.

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
"""Share of the runs that is compared; the first tenth warms up."""
LIMIT = 0.05
ARGUMENTS = [
    "blueprints.particles.Bead.number=20",
    "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10",
]


def measure(runs: int) -> list[tuple[float, int]]:
    """CPU seconds and resident bytes after each run, seeds 0 to runs - 1."""
    sweep = Sweep.load(Path("recipes/spheres_sem.yaml"), [*ARGUMENTS, f"initial_runtime_state.seed=range({runs})"])
    memory = psutil.Process().memory_info
    measured = []
    for run in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            render(sweep.build_recipe(run), Path(folder), "cpu")
            seconds = time.process_time() - start
        measured.append((seconds, memory().rss))
    return measured


def drift(values: list[float]) -> float:
    """Relative rise of the median from the first window after warming up to the last."""
    width = max(1, int(len(values) * WINDOW))
    warm = len(values) // 10
    first, last = median(values[warm : warm + width]), median(values[-width:])
    return last / first - 1


def main(runs: int = 200) -> int:
    with silence_stdout():
        measured = measure(runs)
    seconds = drift([seconds for seconds, _ in measured])
    memory = drift([float(rss) for _, rss in measured])
    print(f"{runs} runs: CPU time per run {seconds:+.1%}, memory {memory:+.1%} (limit {LIMIT:.0%})")
    sys.stdout.flush()
    return int(max(seconds, memory) > LIMIT)


if __name__ == "__main__":
    code = main(*map(int, sys.argv[1:]))
    # bpy 4.5 can hang in a static destructor.
    os._exit(code)
