"""Inside an image build: compiles the renderer's kernels by rendering each shipped recipe once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import read_recipe
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.engine import render

SEEDS = {"sem_broad": 23}
"""Of a recipe that does something else with each. 23 compile 72 of its 73 kernels; the rest is compiled when met."""

for path in sorted(Path("recipes").glob("*.yaml")):
    for seed in range(SEEDS.get(path.stem, 1)):
        with TemporaryDirectory() as folder:
            recipe = parse_recipe(resolve(compose_recipe(read_recipe(path), (f"initial_runtime_state.seed={seed}",))))
            render(recipe, Path(folder), "cpu")
    print("kernels of", path, flush=True)
sys.stdout.flush()
os._exit(0)  # bpy can hang in a static destructor
