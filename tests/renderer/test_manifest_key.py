"""The key of a run follows from its manifest alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import rfc8785

from synth_api.recipe.run_key import compute_run_key
from synth_api.sweep.definition import Sweep
from synth_renderer.engine import RenderedRun
from synth_renderer.runtime.run_record import build_run_record

RECIPES = Path(__file__).parents[2] / "recipes"
RENDERED = RenderedRun(
    device="cpu",
    seconds={},
    width=1,
    height=1,
    pixel_size=0.1,
    depth_range=None,
    particles=0,
    visible=0,
    physics=(),
    gates=(),
    label_digest="0" * 64,
)


def test_key_is_the_hash_of_engine_version_and_recipe_in_the_manifest() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for path in RECIPES.glob("*.yaml"):
        recipe = Sweep.load(path).build_recipe(0)
        manifest = json.loads(build_run_record(compute_run_key(recipe), recipe, {}, RENDERED, now, now).to_json())
        document = {"engine": manifest["engine_version"], "recipe": manifest["recipe"]}
        assert sha256(rfc8785.dumps(document)).hexdigest() == manifest["key"]
