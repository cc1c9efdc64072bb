"""Inside an image build: compiles the renderer's kernels by rendering each shipped recipe once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from synth_api.recipe.compose import compose, resolve
from synth_api.recipe.model import parse
from synth_api.recipe.source import read_recipe
from synth_renderer.engine import render

for path in sorted(Path("recipes").glob("*.yaml")):
    with TemporaryDirectory() as folder:
        render(parse(resolve(compose(read_recipe(path), ()))), Path(folder), "cpu")
    print("kernels of", path, flush=True)
sys.stdout.flush()
os._exit(0)  # bpy can hang in a static destructor
