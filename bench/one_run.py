"""Render a recipe in this process after a warm-up; print its seconds by stage and the peak memory as JSON.

python bench/one_run.py RECIPE [OVERRIDE...] [--no-real] [--device=DEVICE]
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import read_recipe
from synth_api.recipe.model import Recipe
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.engine import render

WARM_UP = [
    "blueprints.particles.Bead.number=10",
    "+blueprints.measurement_techniques.SEM.features.resolution_percentage=10",
]


def load_recipe(recipe: str, overrides: list[str], *, real: bool) -> Recipe:
    tree = resolve(compose_recipe(read_recipe(Path(recipe)), overrides))
    chain = tree["synth_chain"]
    if not real:
        chain["rendering_steps"] = [step for step in chain["rendering_steps"] if step.get("rendering_mode") != "real"]
    return parse_recipe(tree)


def time_run(recipe: Recipe, device: str = "cpu") -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        rendered = render(recipe, Path(folder), device)
        return {**rendered.seconds, "total": time.perf_counter() - start}


def main(recipe: str, *arguments: str) -> None:
    flags = [word for word in arguments if word.startswith("--")]
    overrides = [word for word in arguments if word not in flags]
    real = "--no-real" not in flags
    device = next((word.partition("=")[2] for word in flags if word.startswith("--device=")), "cpu")
    time_run(load_recipe(recipe, WARM_UP, real=real), device)
    seconds = time_run(load_recipe(recipe, overrides, real=real), device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
