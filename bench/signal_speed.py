"""Seconds of the processor per run of recipes/sem_broad.yaml, and growth of a picture with pixels and particles; JSON.

python bench/signal_speed.py [RUNS]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from one_run import load, timed

from synth_dataset.gates.quality_gates import GateError
from synth_renderer.engine import render

if TYPE_CHECKING:
    from synth_api.recipe.model import Recipe

BROAD = "recipes/sem_broad.yaml"
BEADS = "recipes/spheres_sem_signal.yaml"
NUMBER = "blueprints.particles.Bead.number={}"
PERCENT = "+blueprints.measurement_techniques.SEM.features.resolution_percentage={}"


def processor_seconds(recipe: Recipe) -> float:
    """Of one run, six modes and annotations."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        try:
            render(recipe, Path(folder), "cpu")
        except GateError as error:
            print(error, file=sys.stderr)
    return time.process_time() - start


def broad(runs: int) -> float:
    """Mean over seeds 0 to runs - 1 in a process that has compiled everything."""
    recipes = [load(BROAD, [f"initial_runtime_state.seed={seed}"], real=True) for seed in range(runs)]
    for recipe in recipes:
        processor_seconds(recipe)
    return sum(map(processor_seconds, recipes)) / runs


def real(*overrides: str) -> float:
    """Seconds of the real image, second run."""
    recipe = load(BEADS, list(overrides), real=True)
    timed(recipe)
    return timed(recipe)["real"]


def main(runs: int = 24) -> None:
    """Print what `bench.py` shows."""
    print(
        json.dumps(
            {
                "broad": broad(runs),
                "pixels": {percent: real(PERCENT.format(percent)) for percent in (50, 100, 200)},
                "particles": {number: real(NUMBER.format(number)) for number in (150, 600, 2400)},
            }
        )
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
