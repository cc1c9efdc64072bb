"""`synth manifest`: resources that mean what the command line means, in YAML that every reader reads alike."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from synth_api.composition.source import read_recipe_objects
from synth_api.composition.yaml_loader import RecipeLoader
from synth_api.errors import InputError
from synth_api.resources.synth_recipe import RecipeSpec
from synth_api.resources.synth_sweep import SweepSpec
from synth_api.sweep.axes import Arguments, Axis, parse_arguments
from synth_api.sweep.definition import Sweep
from synth_api.sweep.structured_axes import build_axes
from synth_cli import main
from synth_cli.manifests import manifest_check
from synth_cli.manifests.custom_resources import build_sweep
from synth_cli.manifests.manifest_check import check_sweep
from synth_cli.terminal.readable_yaml import dump_yaml

ROOT = Path(__file__).parents[3]
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
    source = read_recipe_objects("spheres-sem", scene.recipe, scene.fragments)
    cluster = Sweep.from_source(source, spec.overrides, spec.axes)
    assert list(cluster.keys()) == list(laptop.keys())
    assert cluster.recipe_digest == laptop.recipe_digest


def test_a_recipe_brings_its_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "blueprints/particles").mkdir(parents=True)
    (tmp_path / "blueprints/particles/big.yaml").write_text("Big: {geometry_prototype_name: sphere, number: 3}\n")
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds/seven.yaml").write_text("# @package _global_\ninitial_runtime_state: {seed: 7}\n")
    (tmp_path / "spheres.yaml").write_text(RECIPE.read_text())
    defaults = "defaults: [BaseRecipe, spheres, {blueprints/particles: big}, {seeds: seven}, _self_]\n"
    (tmp_path / "beads.yaml").write_text(defaults)
    (recipe,) = resources(capsys, str(tmp_path / "beads.yaml"))
    assert recipe["spec"]["fragments"].keys() == {"spheres", "blueprints/particles/big", "seeds/seven"}
    scene = RecipeSpec.model_validate(recipe["spec"])
    cluster = Sweep.from_source(read_recipe_objects("beads", scene.recipe, scene.fragments))
    assert list(cluster.keys()) == list(Sweep.load(tmp_path / "beads.yaml").keys())
    assert cluster.build_recipe(0).initial_runtime_state.seed == 7


def test_a_cluster_has_not_the_environment_of_a_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEADS", "3")
    (tmp_path / "r.yaml").write_text(RECIPE.read_text().replace("number: 600", "number: ${oc.decode:${oc.env:BEADS}}"))
    assert main.run(["validate", str(tmp_path / "r.yaml")]) == 0
    assert "Bead: 3 x sphere" in capsys.readouterr().out
    assert main.run(["manifest", str(tmp_path / "r.yaml")]) == 2
    assert "a cluster does not have the environment of your machine; write the value" in capsys.readouterr().err


def test_a_recipe_brings_its_fragments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = yaml.safe_load(RECIPE.read_text())
    scene = {"blueprints": tree.pop("blueprints")}
    (tmp_path / "scene.yaml").write_text(yaml.safe_dump(scene))
    (tmp_path / "My_Beads.yaml").write_text(yaml.safe_dump(tree | {"defaults": ["BaseRecipe", "scene", "_self_"]}))
    (recipe,) = resources(capsys, str(tmp_path / "My_Beads.yaml"), "--namespace=lab")
    assert recipe["metadata"] == {"name": "my-beads", "namespace": "lab"}
    assert list(recipe["spec"]["fragments"]) == ["scene"]
    source = read_recipe_objects("my-beads", recipe["spec"]["recipe"], recipe["spec"]["fragments"])
    assert Sweep.from_source(source).key(0) == Sweep.load(RECIPE).key(0)


def test_the_shipped_resources_are_made_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shipped = ROOT / "recipes/kubernetes"
    sweeps = ["agglomerates-tem-60.yaml", "spheres-sem-180.yaml"]
    for sweep in sweeps:
        made_by = (shipped / sweep).read_text().splitlines()[0].removeprefix("# synth ")
        assert main.run([*shlex.split(made_by), "--out", str(tmp_path)]) == 0
    recipes = ["agglomerates-tem.yaml", "spheres-sem.yaml"]
    assert sorted(path.name for path in shipped.iterdir()) == sorted(sweeps + recipes)
    for path in shipped.iterdir():
        assert path.read_text() == (tmp_path / path.name).read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--name", "Spheres"], "--name: 'Spheres' cannot be the name of a sweep: it must be lower-case letters"),
        (["--name", "x" * 41], "digits and '-', at most 40; give another one"),
        (["blueprints.particles.Bead.nmber=1,2"], "there is no key 'nmber'"),
    ],
)
def test_invalid_resources_are_refused(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["manifest", str(RECIPE), *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err


FEATURES = "blueprints.measurement_techniques.SEM.custom_features"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            [f"initial_runtime_state.seed={','.join(map(str, range(2_000)))}", "blueprints.particles.Bead.number=3"],
            "seed: there are 8,916 characters, an argument beside fixed overrides has 4,096 at most; write a range, or",
        ),
        (
            [f"{FEATURES}.{number}._value=choice(1)" for number in range(17)],
            "spec.axes: there are 17 axes, a sweep on a cluster has 16 at most; split the sweep",
        ),
        (
            [f"{FEATURES}.{number}._value=1" for number in range(65)],
            "spec.overrides: there are 65 arguments, a sweep with fixed overrides has 64 at most; write those into the",
        ),
        (
            ["blueprints.particles.Bead.parent=choice('" + "x" * 4_097 + "')"],
            "blueprints.particles.Bead.parent: a text has 4,097 characters, an axis at most 4,096; shorten it",
        ),
    ],
)
def test_what_no_cluster_takes_is_refused(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features = [{"name": f"f{number}", "_value": 0} for number in range(65)]
    tree = yaml.safe_load(RECIPE.read_text())
    tree["blueprints"]["measurement_techniques"]["SEM"]["custom_features"] = features
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(tree))
    assert main.run(["manifest", str(tmp_path / "r.yaml"), *arguments, f"--out={tmp_path / 'out'}"]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.out == ""
    assert not (tmp_path / "out").exists()


def test_an_axis_of_ten_thousand_values_is_the_longest() -> None:
    def check(count: int) -> None:
        arguments = Arguments((Axis("", "initial_runtime_state.seed", (*range(count - 1), -1)),), (), ())
        check_sweep(build_sweep("x", None, "x", ["seed"], arguments, None), ["seed"], arguments)

    check(10_000)
    with pytest.raises(InputError) as caught:
        check(10_001)
    says = "seed: there are 10,001 values, an axis on a cluster has 10,000 at most; write a range, or split the sweep"
    assert str(caught.value) == says


def test_a_resource_that_kubectl_cannot_apply_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(manifest_check, "MAX_BYTES", 6_000)
    arguments = [f"initial_runtime_state.seed={','.join(map(str, range(2_000)))}"]
    assert main.run(["manifest", str(RECIPE), *arguments]) == 2
    says = "SynthSweep: 'spheres-sem-2000' has 9,094 bytes as JSON, more than the 6,000 that kubectl apply can carry; w"
    assert says in capsys.readouterr().err


def test_a_fragment_with_the_name_of_the_resource_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = yaml.safe_load(RECIPE.read_text())
    (tmp_path / "my-beads.yaml").write_text(yaml.safe_dump({"blueprints": tree.pop("blueprints")}))
    (tmp_path / "My_Beads.yaml").write_text(yaml.safe_dump(tree | {"defaults": ["BaseRecipe", "my-beads", "_self_"]}))
    assert main.run(["manifest", str(tmp_path / "My_Beads.yaml")]) == 2
    assert "fragments: 'my-beads' cannot be the name of a fragment here" in capsys.readouterr().err


RANGES = st.tuples(st.floats(-1e9, 1e9), st.floats(1e-9, 1e6), st.integers(1, 500))


@given(RANGES, st.integers(0, 17))
def test_a_range_has_the_same_values_in_a_resource(bounds: tuple[float, float, int], digits: int) -> None:
    start, step, length = round(bounds[0], digits), round(bounds[1], digits) or 1.0, bounds[2]
    argument = f"a.b=range({start!r},{start + length * step!r},{step!r})"
    assume(start + length * step > start)
    (axis,) = parse_arguments([argument]).axes
    assume(len(set(axis.values)) == len(axis.values))
    document = build_sweep("x", None, "x", [argument], parse_arguments([argument]), None)
    spec = SweepSpec.model_validate(yaml.safe_load(dump_yaml(document))["spec"])
    assert list(build_axes(spec.axes)[0].values) == list(axis.values)


def test_the_call_above_a_resource_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    argument = "+process_conditions.sets.A={criterion: 'True\n or\tTrue'}"
    assert main.run(["manifest", str(RECIPE), argument, SEEDS]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^# synth manifest .*seed=range\(15\)'\napiVersion: ", printed, re.MULTILINE)
    assert list(yaml.safe_load_all(printed))[1]["spec"]["overrides"] == [argument, SEEDS]


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
    text = dump_yaml(value)
    assert yaml.safe_load(text) == value
    assert yaml.load(text, RecipeLoader) == value


@pytest.mark.parametrize("text", [text for text in AWKWARD if text not in ("=", "<<", "a: b", "a\x85b", "\u2028")])
def test_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert dump_yaml({text: text}) == f"'{text}': '{text}'\n"
