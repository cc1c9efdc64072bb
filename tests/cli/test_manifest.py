"""`synth manifest`: resources that mean what the command line means, in YAML that every reader reads alike."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from synth_api.recipe.source import recipe_from_objects
from synth_api.recipe.yaml_loader import RecipeLoader
from synth_api.resources.recipe import RecipeSpec
from synth_api.resources.sweep import SweepSpec
from synth_api.sweep import Sweep
from synth_cli import main
from synth_cli.readable_yaml import readable

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/spheres_sem.yaml"
SEEDS = "initial_runtime_state.seed=range(15)"
SWEEPS = [
    ["blueprints.particles.Bead.number=100,200", SEEDS],
    ["+blueprints.measurement_techniques.SEM.features.resolution_percentage=10", SEEDS],
    ["process_conditions.feature_variabilities.Defocus.variability.scale=range(0.1,0.8,0.2)"],
    ["initial_runtime_state.seed=range(9,1,-3)", "synth_chain.feature_generation_steps.5.gravity=[0,0,-1],[0,0,-9.5]"],
    ["blueprints.particles.Bead.material_prototype_name=plain,'sem_polystyrene'", "initial_runtime_state.seed=5"],
]


def resources(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main.run(["manifest", *arguments]) == 0
    return list(yaml.safe_load_all(capsys.readouterr().out))


@pytest.mark.parametrize("arguments", SWEEPS)
def test_resources_have_the_runs_of_the_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    recipe, sweep = resources(capsys, str(RECIPE), *arguments)
    laptop = Sweep.load(RECIPE, arguments)
    assert sweep["spec"]["recipeRef"]["name"] == recipe["metadata"]["name"] == "spheres-sem"
    assert sweep["metadata"]["name"] == f"spheres-sem-{laptop.runs}"
    scene, spec = RecipeSpec.model_validate(recipe["spec"]), SweepSpec.model_validate(sweep["spec"])
    source = recipe_from_objects("spheres-sem", scene.recipe, scene.fragments)
    cluster = Sweep.of(source, spec.overrides, spec.axes)
    assert list(cluster.keys()) == list(laptop.keys())
    assert cluster.recipe_digest == laptop.recipe_digest


def test_a_recipe_brings_its_fragments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = yaml.safe_load(RECIPE.read_text())
    scene = {"blueprints": tree.pop("blueprints")}
    (tmp_path / "scene.yaml").write_text(yaml.safe_dump(scene))
    (tmp_path / "My_Beads.yaml").write_text(yaml.safe_dump(tree | {"defaults": ["BaseRecipe", "scene", "_self_"]}))
    (recipe,) = resources(capsys, str(tmp_path / "My_Beads.yaml"), "--namespace=lab")
    assert recipe["metadata"] == {"name": "my-beads", "namespace": "lab"}
    assert list(recipe["spec"]["fragments"]) == ["scene"]
    source = recipe_from_objects("my-beads", recipe["spec"]["recipe"], recipe["spec"]["fragments"])
    assert Sweep.of(source).key(0) == Sweep.load(RECIPE).key(0)


def test_the_shipped_resources_are_made_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shipped = ROOT / "recipes/kubernetes"
    made_by = (shipped / "spheres-sem-180.yaml").read_text().splitlines()[0].removeprefix("# synth ")
    assert main.run([*shlex.split(made_by), "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in shipped.iterdir()) == ["spheres-sem-180.yaml", "spheres-sem.yaml"]
    for path in shipped.iterdir():
        assert path.read_text() == (tmp_path / path.name).read_text(), made_by


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--name", "Spheres"], "--name: 'Spheres' cannot be the name of a sweep: it must be lower-case letters"),
        (["--name", "x" * 41], "digits and '-', at most 40; give another one"),
        (["blueprints.particles.Bead.nmber=1,2"], "there is no key 'nmber'"),
    ],
)
def test_what_no_resource_can_be(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["manifest", str(RECIPE), *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err


AWKWARD = [
    "1e5",
    "0x1f",
    "010",
    "1_000",
    "yes",
    "y",
    "on",
    "null",
    "~",
    "2026-01-01",
    "1:30",
    ".5",
    "=",
    "<<",
    "a: b",
    "a\x85b",
    "\u2028",
]
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(AWKWARD),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text() | st.sampled_from(AWKWARD), inner),
    max_leaves=10,
)


@given(PLAIN)
def test_every_reader_reads_the_same(value: object) -> None:
    text = readable(value)
    assert yaml.safe_load(text) == value
    assert yaml.load(text, RecipeLoader) == value


@pytest.mark.parametrize("text", [text for text in AWKWARD if text not in ("=", "<<", "a: b", "a\x85b", "\u2028")])
def test_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert readable({text: text}) == f"'{text}': '{text}'\n"
