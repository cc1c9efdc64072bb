"""CPU seconds per run of both broad recipes, and growth of the real image with pixels and particles, as JSON.

python bench/signal_speed.py [RUNS]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from one_run import load_recipe, time_run

from synth_dataset.gates.quality_gates import GateError
from synth_renderer.engine import render

if TYPE_CHECKING:
    from synth_api.recipe.model import Recipe

BROAD = "recipes/sem_broad.yaml"
TRANSMISSION = "recipes/tem_broad.yaml"
BEADS = "recipes/spheres_sem_signal.yaml"
NUMBER = "blueprints.particles.Bead.number={}"
PERCENT = "+blueprints.measurement_techniques.SEM.features.resolution_percentage={}"


def measure_cpu_seconds(recipe: Recipe) -> float:
    """Return the CPU seconds of one run with six modes and annotations."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        try:
            render(recipe, Path(folder), "cpu")
        except GateError as error:
            print(error, file=sys.stderr)
    return time.process_time() - start


def measure_broad(broad: str, runs: int) -> float:
    """Return the mean CPU seconds over seeds 0 to runs - 1 after all kernels are compiled."""
    recipes = [load_recipe(broad, [f"initial_runtime_state.seed={seed}"], real=True) for seed in range(runs)]
    for recipe in recipes:
        measure_cpu_seconds(recipe)
    return sum(map(measure_cpu_seconds, recipes)) / runs


def measure_real(*overrides: str) -> float:
    """Return the wall seconds of the real image in the second run."""
    recipe = load_recipe(BEADS, list(overrides), real=True)
    time_run(recipe)
    return time_run(recipe)["real"]


def main(runs: int = 24) -> None:
    """Print the figures that `bench.py` shows."""
    print(
        json.dumps(
            {
                "broad": measure_broad(BROAD, runs),
                "transmission": measure_broad(TRANSMISSION, runs),
                "pixels": {percent: measure_real(PERCENT.format(percent)) for percent in (50, 100, 200)},
                "particles": {number: measure_real(NUMBER.format(number)) for number in (150, 600, 2400)},
            }
        )
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
