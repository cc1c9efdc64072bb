"""Same run key, same label digest: on any x86-64 machine, in any order of keys, twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import read_recipe
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.engine import render

LABELS_ONLY = [
    {"_target_": "$builtins.RenderParticlesTogether", "rendering_mode": mode}
    for mode in ("categorical", "depth_map", "normal_map", "stylized", "stylized_xray")
]
SCRIPT = """
import sys, tempfile
from pathlib import Path
from synth_api.composition.compose import compose_recipe, resolve
from synth_api.recipe.parsing import parse_recipe
from synth_api.composition.source import read_recipe
from synth_renderer.engine import render
with tempfile.TemporaryDirectory() as folder:
    recipe = parse_recipe(resolve(compose_recipe(read_recipe(Path(sys.argv[1])), [])))
    print(render(recipe, Path(folder), "cpu").label_digest)
"""
GOLDEN = {
    42: "0b058efa12e9169e2edfb60d81850f3f8104f477e34475051635f2329b6c2367",
    7: "2569cbecc3edad3df7e9da35af2f968397d9b234037c5f1c0ea79becbaeae29e",
}


def small_spheres(folder: Path, seed: int, *, reverse: bool = False) -> Path:
    tree = yaml.safe_load(Path(__file__).parents[3].joinpath("recipes/spheres_sem.yaml").read_text())
    tree["initial_runtime_state"]["seed"] = seed
    tree["blueprints"]["particles"]["Bead"]["number"] = 120
    tree["blueprints"]["measurement_techniques"]["SEM"]["features"] = {"resolution_percentage": 25}
    tree["synth_chain"]["rendering_steps"] = LABELS_ONLY
    path = folder / f"spheres{seed}{reverse}.yaml"
    path.write_text(yaml.safe_dump(_reverse_keys(tree) if reverse else tree, sort_keys=False))
    return path


def _reverse_keys(tree: object) -> object:
    if isinstance(tree, dict):
        return {key: _reverse_keys(tree[key]) for key in reversed(tree)}
    return [_reverse_keys(item) for item in tree] if isinstance(tree, list) else tree


def digest(recipe: Path, folder: Path) -> str:
    return render(parse_recipe(resolve(compose_recipe(read_recipe(recipe), []))), folder, "cpu").label_digest


def digest_elsewhere(recipe: Path, **environment: str) -> str:
    """The label digest of a process with another environment."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(recipe)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()[-1]


@pytest.mark.parametrize("seed", GOLDEN)
def test_labels_are_what_this_engine_version_promises(tmp_path: Path, seed: int) -> None:
    """When this fails, labels have changed: raise ENGINE_VERSION, then renew the digests."""
    assert digest(small_spheres(tmp_path, seed), tmp_path) == GOLDEN[seed]


def test_masked_processor_features_change_no_label(tmp_path: Path, generic_processor: dict[str, str]) -> None:
    assert digest_elsewhere(small_spheres(tmp_path, 42), **generic_processor) == GOLDEN[42]


def test_thread_count_changes_no_label(tmp_path: Path) -> None:
    threads = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    assert digest_elsewhere(small_spheres(tmp_path, 42), **threads) == GOLDEN[42]


def test_order_of_keys_changes_no_label(tmp_path: Path) -> None:
    assert digest(small_spheres(tmp_path, 42, reverse=True), tmp_path) == GOLDEN[42]


def test_another_seed_gives_other_labels() -> None:
    assert len(set(GOLDEN.values())) == len(GOLDEN)
