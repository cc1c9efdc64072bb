"""Run keys per second on one core, over a sweep of a million runs."""

from __future__ import annotations

import resource
import sys
from itertools import islice
from pathlib import Path
from time import perf_counter

from synth_api.sweep.definition import Sweep

ARGUMENTS = [
    "blueprints.particles.Bead.number=range(100)",
    "synth_chain.feature_generation_steps.5.gravity.2=-100,-10000",
    "initial_runtime_state.seed=range(5000)",
]


def measure_key_rate(recipe: Path, count: int = 100_000) -> float:
    """Return keys per second over the first `count` keys, templates included."""
    sweep = Sweep.load(recipe, ARGUMENTS)
    start = perf_counter()
    for _ in islice(sweep.keys(), count):
        pass
    return count / (perf_counter() - start)


def main() -> None:
    recipe = Path(sys.argv[1] if len(sys.argv) > 1 else "recipes/spheres_sem.yaml")
    start = perf_counter()
    runs = Sweep.load(recipe, ARGUMENTS).runs
    print(f"load {runs:,} runs: {perf_counter() - start:.2f} s")
    print(f"{measure_key_rate(recipe):,.0f} keys/s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
