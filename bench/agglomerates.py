"""Agglomerates: fractal dimension, seconds of growth, and time and memory of a run of one of 1,000 primaries, as JSON.

python bench/agglomerates.py
"""

from __future__ import annotations

import json
import resource
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from one_run import time_run

from synth_api.modes import MODES
from synth_api.recipe.feature_generation import PUBLISHED_MODES
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.agglomeration.growth import FRACTAL_DIMENSIONS, grow_agglomerate

if TYPE_CHECKING:
    from synth_api.recipe.model import Recipe

B = "$builtins."
SIZES = (16, 32, 64, 100)
AGGLOMERATES = 200
"""Of each size, for the fractal dimension."""


def write_recipe(primaries: int) -> Recipe:
    """Return the recipe of one agglomerate of spheres, 1.2 scene units wide, on the ground of 960 x 960 pixels."""
    particles = {"affected_set_name": "AllParticles"}
    steps: list[dict[str, Any]] = [
        {"_target_": B + "InvokeBlueprints", "affected_set_name": "AllMeasurementTechniqueBlueprints"},
        {"_target_": B + "InvokeBlueprints", "affected_set_name": "AllParticleBlueprints"},
        {"_target_": B + "AgglomerateParticles", "mode": "ballistic_cluster_agglomeration", "speed": 0.5} | particles,
        {"_target_": B + "DepositOnSubstrate", "layout": "sparse", "coverage": 0.0005} | particles,
    ]
    labels = [mode.name for mode in MODES.values() if mode.is_label and mode.extension == "png"]
    return parse_recipe(
        {
            "initial_runtime_state": {"seed": 1},
            "blueprints": {
                "measurement_techniques": {
                    "SEM": {"measurement_technique_prototype_name": "scanning_electron_microscope"}
                },
                "particles": {
                    "Primary": {
                        "geometry_prototype_name": "sphere",
                        "number": primaries,
                        "features": {"dimensions": [1.2, 1.2, 1.2]},
                    }
                },
            },
            "synth_chain": {
                "feature_generation_steps": steps,
                "rendering_steps": [
                    {"_target_": B + "RenderParticlesTogether", "rendering_mode": mode} for mode in labels
                ],
            },
        }
    )


def measure_growth(mode: str, primaries: int = 2000) -> float:
    """Return the CPU seconds in which one agglomerate grows, of equal spheres and steps of a radius."""
    colliding, randomness = PUBLISHED_MODES[mode]
    start = time.process_time()
    grow_agglomerate(np.ones(primaries), colliding, 1.0, randomness, 0.0, np.uint64(1))
    return time.process_time() - start


def measure_dimension(mode: str) -> float:
    """Return the exponent D of n = k (Rg / a)^D over sizes up to 100, Rg the root mean square over AGGLOMERATES."""
    colliding, randomness = PUBLISHED_MODES[mode]

    def square(size: int, key: int) -> float:
        grown = grow_agglomerate(np.ones(size), colliding, 1.0, randomness, 0.0, np.uint64(key))
        return float((grown.centres**2).sum() / size)

    gyration = [np.sqrt(np.mean([square(size, 1000 * size + k) for k in range(AGGLOMERATES)])) for size in SIZES]
    return float(np.polyfit(np.log(gyration), np.log(SIZES), 1)[0])


def main() -> None:
    """Print the figures that `bench.py` shows."""
    time_run(write_recipe(10))
    start = time.process_time()
    time_run(write_recipe(1000))
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    growth = {mode: measure_growth(mode) for mode in PUBLISHED_MODES}
    dimensions = {
        mode: {"measured": measure_dimension(mode), "published": FRACTAL_DIMENSIONS[colliding, randomness == 1]}
        for mode, (colliding, randomness) in PUBLISHED_MODES.items()
    }
    print(json.dumps({"run": seconds, "peak_mb": peak, "growth": growth, "dimensions": dimensions}))


if __name__ == "__main__":
    main()
