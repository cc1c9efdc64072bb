"""False alarms and missed faults of the mask gates over runs of recipes/sem_broad.yaml.

python bench/signal_gates.py [RUNS] [FIRST]      default 1,000 runs from seed 10,000
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from one_run import load_recipe

from synth_dataset.documents.pictures import read_png
from synth_dataset.gates.quality_gates import GateError, check_gates
from synth_renderer.engine import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ids = NDArray[np.uint16]

RECIPE = "recipes/sem_broad.yaml"
STEPS = "synth_chain.rendering_steps=[{_target_: $builtins.RenderParticlesTogether, rendering_mode: real}]"
FAULT_EVERY = 5
"""Every fifth run is also checked with wrong labels; the faults take turns."""
FAULTS: dict[str, Callable[[Ids, Ids], Ids]] = {
    "another seed": lambda _ids, other: other,
    "4 px up": lambda ids, _other: np.roll(ids, -4, axis=0),
    "3 px along both axes": lambda ids, _other: np.roll(ids, (3, -3), axis=(0, 1)),
    "20 px aside": lambda ids, _other: np.roll(ids, (12, 16), axis=(0, 1)),
    "rotated by 90 degrees": lambda ids, _other: np.rot90(ids),
}


def render_run(seed: int) -> tuple[Ids, NDArray[np.uint8], str]:
    """Return ids, real image and the message of the failed gate, empty if all pass."""
    recipe = load_recipe(RECIPE, [f"initial_runtime_state.seed={seed}", STEPS], real=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            render(recipe, Path(folder), "cpu")
            failure = ""
        except GateError as error:
            failure = str(error)
        ids, real = (read_png(Path(folder) / name) for name in ("instances.png", "real.png"))
        return ids.astype(np.uint16), real.astype(np.uint8), failure


def is_caught(ids: Ids, real: NDArray[np.uint8]) -> bool:
    """Return True if a mask gate fails these labels; a gate that does not apply counts as passed."""
    labels = np.ascontiguousarray(ids)
    visible = np.bincount(labels.ravel())[1:]
    return any(not gate.passed for gate in check_gates(labels, visible, real) if gate.name.startswith("mask"))


def main(runs: int = 1000, first: int = 10_000) -> None:
    """Print each false alarm and each missed fault, and their totals every 50 runs."""
    alarms, tried, missed, other = 0, 0, 0, None
    for seed in range(first, first + runs):
        ids, real, failure = render_run(seed)
        if failure:
            alarms += 1
            print(f"{seed}: {failure}", flush=True)
        if seed % FAULT_EVERY == 0 and other is not None:
            name = list(FAULTS)[seed // FAULT_EVERY % len(FAULTS)]
            tried += 1
            if not is_caught(FAULTS[name](ids, other), real):
                missed += 1
                print(f"{seed}: missed: {name}", flush=True)
        other = ids
        if seed % 50 == 49:
            print(f"{seed - first + 1} runs: {alarms} false alarms; {missed} of {tried} faults missed", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
