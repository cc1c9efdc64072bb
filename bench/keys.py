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


def keys_per_second(recipe: Path, count: int = 100_000) -> float:
    """Rate of the first `count` keys, the making of their templates included."""
    sweep = Sweep.load(recipe, ARGUMENTS)
    begun = perf_counter()
    for _ in islice(sweep.keys(), count):
        pass
    return count / (perf_counter() - begun)


def main() -> None:
    recipe = Path(sys.argv[1] if len(sys.argv) > 1 else "recipes/spheres_sem.yaml")
    begun = perf_counter()
    runs = Sweep.load(recipe, ARGUMENTS).runs
    print(f"load {runs:,} runs: {perf_counter() - begun:.2f} s")
    print(f"{keys_per_second(recipe):,.0f} keys/s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
