"""A recipe rendered in a process of its own, for digests that another environment must not change."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
import hashlib, sys, tempfile
from pathlib import Path
from synth_api.composition.compose import compose_recipe, resolve
from synth_api.recipe.parsing import parse_recipe
from synth_api.composition.source import read_recipe
from synth_dataset.documents.pictures import read_png
from synth_renderer.engine import render
with tempfile.TemporaryDirectory() as folder:
    run = render(parse_recipe(resolve(compose_recipe(read_recipe(Path(sys.argv[1])), []))), Path(folder), "cpu")
    real = hashlib.sha256(read_png(Path(folder) / "real.png").tobytes()).hexdigest()
    print(real, run.label_digest, "bpy" in sys.modules)
"""


def render_in_process(recipe: Path, **environment: str) -> list[str]:
    """Return the sha256 of the real image's pixels, the label digest, and `True` if bpy has been imported."""
    command = [sys.executable, "-c", RUN, str(recipe)]
    result = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()
