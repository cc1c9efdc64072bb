"""Every kind of bad input: exit code 2, one sentence with path, value and remedy, and no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_cli import main

SPHERES = (Path(__file__).parents[2] / "recipes" / "spheres_sem.yaml").read_text()
BEAD = "blueprints.particles.Bead"
RELAX = "synth_chain.feature_generation_steps.5"
SEED = "initial_runtime_state.seed"


def replace_text(old: str, new: str) -> str:
    assert old in SPHERES
    return SPHERES.replace(old, new, 1)


def with_set(criterion: str) -> str:
    return replace_text(
        "feature_variabilities:", f"sets:\n    Big: {{criterion: {criterion}}}\n  feature_variabilities:"
    )


FILES = {
    "unknown key": (
        replace_text("number: 600", "numbr: 600"),
        f"{BEAD}.numbr: there is no key 'numbr' here; did you mean",
    ),
    "unknown key of a step": (
        replace_text("num_frames", "num_frame"),
        "there is no key 'num_frame' here; did you mean",
    ),
    "unknown target": (
        replace_text("RelaxCollisions", "RelaxCollision"),
        "there is no _target_ '$builtins.RelaxCollision'",
    ),
    "target outside the set": (
        replace_text("$builtins.RelaxCollisions", "os.system"),
        "there is no _target_ 'os.system'",
    ),
    "unknown prototype": (
        replace_text("name: sphere", "name: sphre"),
        "no geometry prototype 'sphre'; did you mean 'sph",
    ),
    "unknown feature": (
        replace_text("name: defocus", "name: defocuss"),
        "has a feature 'defocuss'; did you mean 'defocus'",
    ),
    "unknown set": (
        replace_text("name: AllParticles\n", "name: AllParticle\n"),
        "no set 'AllParticle'; did you mean 'AllPa",
    ),
    "unknown criterion": (with_set("$IsParticl"), "no criterion 'IsParticl'; did you mean 'IsParticle'?"),
    "unknown mode": (replace_text("mode: real", "mode: reel"), "no rendering mode 'reel'; did you mean 'real'?"),
    "missing value": (
        replace_text("  seed: 42\n", ""),
        f"{SEED}: a value is missing; write it in the recipe or give it",
    ),
    "wrong type": (replace_text("number: 600", "number: many"), f"{BEAD}.number: must be a whole number, not 'many'"),
    "out of bounds": (replace_text("seed: 42", "seed: -1"), f"{SEED}: must be at least 0, not -1"),
    "negative number": (replace_text("number: 600", "number: -5"), f"{BEAD}.number: must be at least 0, not -5"),
    "no expression": (
        with_set("$IsParticle and ("),
        "Big.criterion: '$IsParticle and (' is not a set expression: at pos",
    ),
    "points nowhere": (
        replace_text("state.seed}", "state.sed}"),
        "refers to nothing: there is no 'sed' there; did you mean",
    ),
    "circle": (replace_text("number: 600", f"number: ${{{BEAD}.number}}"), "refers to itself; write the value"),
    "resolver": (
        replace_text("number: 600", "number: ${oc.env:API_KEY}"),
        "number: 'API_KEY' is named like a credential",
    ),
    "defaults path": (
        replace_text("- BaseRecipe", "- BaseRecipe\n  - ../x"),
        "defaults[1]: '../x' is not allowed; name Base",
    ),
    "no YAML": ("a: [b\nc: }", "r.yaml: this is not YAML: expected ',' or ']', but got ':' in line 2, column 2"),
    "half a character in a key": (
        replace_text("Bead:", r'"Be\ud800ad":'),
        r"'Be\ud800ad' has an escape that is no character",
    ),
    "half a character": (
        replace_text("name: sphere", r'name: "sp\udc80"'),
        r"'sp\udc80' has an escape that is no character",
    ),
    "empty": ("# nothing\n", "r.yaml: the file is empty; a recipe is a YAML mapping with `defaults:"),
    "50 MB": ("a: b\n" * 10_485_760, "r.yaml: the file has 52,428,800 bytes, a recipe at most 262,144; shorten it"),
    "tag": (
        replace_text("seed: 42", "seed: !!python/name:os.system ''"),
        "the YAML tag '!!python/name:os.system' is not",
    ),
}
ARGUMENTS = {
    "a number of 5,000 digits": ([f"{SEED}={'9' * 5000}"], f"{SEED}: a number in it has too many digits; write one"),
    "an index of 5,000 digits": ([f"a.{'9' * 5000}=1"], "the path has 5,002 characters, at most 512 are allowed"),
    "short override path": (["seed=3"], "seed: there is no key 'seed'; did you mean 'initial_runtime_state.seed'?"),
    "short axis path": (["gravity.2=0,1"], "did you mean 'synth_chain.feature_generation_steps.5.gravity.2'?"),
    "override path": ([f"{BEAD}.numbr=3"], f"in {BEAD} (to add it, write +{BEAD}.numbr=…); did you mean 'number'?"),
    "override of no entry": (["synth_chain.rendering_steps.17.rendering_mode=real"], "no entry 17, the list has 7"),
    "added twice": ([f"+{BEAD}.number=3"], "there is a value already, 600; write the override without its +"),
    "wrong type": ([f"{RELAX}.use_gravity=maybe"], "use_gravity: must be true or false, not 'maybe'"),
    "no values": ([f"{SEED}=range(5,5)"], f"{SEED}: range(5, 5, 1) has no values; give a stop beyond the start"),
    "no value": ([f"{SEED}=choice()"], f"{SEED}: the axis has no values; write them"),
    "two axes for one key": ([f"{SEED}=1,2", f"{SEED}=3,4"], f"{SEED}: there are two axes for this key; keep one"),
    "too many runs": ([f"{SEED}=range(1001)", f"{BEAD}.number=range(1000)"], "make 1,001,000 runs, a sweep has 1,000"),
    "resolver": ([f"{BEAD}.number=${{oc.env:HOME}}"], "'${oc.env:HOME}' is not allowed here: a cluster"),
    "no override": ([f"{SEED}=1,"], "is not an override such as a.b=1 or a.b=1,2; check its commas, brackets"),
}


def refusal(folder: Path, capsys: pytest.CaptureFixture[str], command: str, *arguments: str) -> str:
    before = sorted(folder.rglob("*"))
    out = [] if command == "validate" else [f"--out={folder / 'dataset'}"]
    assert main.run([command, str(folder / "r.yaml"), *arguments, *out]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before
    return said.err


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    text, sentence = FILES[name]
    (tmp_path / "r.yaml").write_text(text)
    said = {refusal(tmp_path, capsys, command) for command in ("validate", "plan", "render")}
    assert len(said) == 1
    assert sentence in said.pop()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_bad_argument(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    arguments, sentence = ARGUMENTS[name]
    (tmp_path / "r.yaml").write_text(SPHERES)
    said = {refusal(tmp_path, capsys, command, *arguments) for command in ("validate", "plan", "render")}
    assert len(said) == 1
    assert sentence in said.pop()


def test_a_recipe_that_is_not_there_or_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot be read: No such file or directory; give the path" in refusal(tmp_path, capsys, "render")
    (tmp_path / "r.yaml").mkdir()
    assert "cannot be read: Is a directory; give the path of a recipe file" in refusal(tmp_path, capsys, "render")
