"""The key of a run follows from its manifest and the recipe that this refers to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.run_key import compute_run_key
from synth_api.sweep.definition import Sweep
from synth_dataset.documents.stored_recipe import encode_recipe, refer_to
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


def follow(pointer: str, tree: Any) -> tuple[Any, Any]:
    """Return the node that holds the value of a JSON Pointer, and the value's place there."""
    *above, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    for part in above:
        tree = tree[int(part) if isinstance(tree, list) else part]
    return tree, int(last) if isinstance(tree, list) else last


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_key_is_the_hash_of_engine_version_and_recipe_of_the_manifest(path: Path) -> None:
    """As a reader in another language computes it, by the rules of docs/run-keys.md."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    sweep = Sweep.load(path, ["initial_runtime_state.seed=3,4"])
    first, recipe = (sweep.build_recipe(run) for run in (0, 1))
    stored = encode_recipe(build_canonical_tree(first))
    reference = refer_to(stored, build_canonical_tree(recipe))
    record = build_run_record(compute_run_key(recipe), recipe, reference, {}, RENDERED, None, now, now)
    manifest = json.loads(record.to_json())
    assert manifest["recipe"]["sha256"] == sha256(stored).hexdigest()
    tree = json.loads(stored)
    for change in manifest["recipe"]["changes"]:
        parent, place = follow(change["path"], tree)
        if change["op"] == "remove":
            del parent[place]
        else:
            parent[place] = change["value"]
    document = {"engine": manifest["engine_version"], "recipe": tree}
    assert sha256(rfc8785.dumps(document)).hexdigest() == manifest["key"]
    assert len(manifest["recipe"]["changes"]) <= 2
