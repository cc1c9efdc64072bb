"""A run key names what a run shows: nothing else changes it, and nothing of that leaves it unchanged."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from synth_api.canonical_json import canonical_json
from synth_api.recipe.run_key import build_key_document, compute_run_key
from synth_api.sweep.definition import Sweep
from synth_api.version import ENGINE_VERSION

ROOT = Path(__file__).parents[3]
RECIPE = ROOT / "recipes" / "spheres_sem.yaml"
VECTORS = json.loads((ROOT / "docs" / "run-keys.md").read_text().split("```json")[1].split("```")[0])
STEPS = "synth_chain.feature_generation_steps"


def key(*overrides: str, recipe: Path = RECIPE) -> str:
    return Sweep.load(recipe, overrides).key(0)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["key"][:8])
def test_published_vectors(vector: dict) -> None:
    assert key(*vector["arguments"]) == vector["key"]


def test_five_vectors_are_published() -> None:
    assert len({vector["key"] for vector in VECTORS}) == 5


def test_the_key_is_the_hash_of_the_document() -> None:
    recipe = Sweep.load(RECIPE).build_recipe(0)
    assert sha256(build_key_document(recipe)).hexdigest() == compute_run_key(recipe)
    assert json.loads(build_key_document(recipe))["engine"] == ENGINE_VERSION


def backwards(tree: object) -> object:
    if isinstance(tree, dict):
        return {name: backwards(tree[name]) for name in reversed(tree)}
    return [backwards(item) for item in tree] if isinstance(tree, list) else tree


def test_the_order_of_keys_has_no_effect(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(backwards(yaml.safe_load(RECIPE.read_text())), sort_keys=False))
    assert key(recipe=other) == key()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([f"{STEPS}.5.gravity.2=-100"], [f"{STEPS}.5.gravity.2=-1e2"]),
        ([f"{STEPS}.5.gravity.0=0.0"], []),
        (["initial_runtime_state.seed=7"], ["initial_runtime_state={seed:7}"]),
        (["initial_runtime_state.time=3.5"], []),
        (["blueprints.particles.Bead.parent=Elsewhere"], []),
        ([f"+{STEPS}.5.id=relax"], []),
        (["process_conditions.feature_variabilities.BackgroundPatchSeed.variability.value=42"], []),
        (["process_conditions.feature_variabilities.ParticleSubdivisions.variability.value=1.0"], []),
    ],
)
def test_spelling_and_origin_have_no_effect(one: list[str], other: list[str]) -> None:
    assert key(*one) == key(*other)


@pytest.mark.parametrize(
    "override",
    [
        "initial_runtime_state.seed=43",
        "blueprints.particles.Bead.number=599",
        "blueprints.particles.Bead.material_prototype_name=plain",
        f"{STEPS}.5.gravity.2=-101",
        "process_conditions.feature_variabilities.Defocus.variability.scale=0.31",
        "synth_chain.rendering_steps.6.rendering_mode=stl",
        "synth_chain.rendering_steps.0.name=other",
    ],
)
def test_values_that_shape_pixels_or_labels_change_the_key(override: str) -> None:
    assert key(override) != key()


# RFC 8785, 3.2.2 to 3.2.4.
def test_canonical_json_is_rfc_8785() -> None:
    tree = {"numbers": [333333333.33333329, 1e30, 4.5, 2e-3, 1e-27, 1.0, -0.0], "string": "€$\x0f\nA'B\"\\", "a": None}
    assert canonical_json(tree).decode() == (
        '{"a":null,"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,1,0],"string":"€$\\u000f\\nA\'B\\"\\\\"}'
    )
