"""A number in a file is what it is in an override, or refused: 0042 is not 34, 1:30 is not 90."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from synth_api.composition.source import read_recipe
from synth_api.composition.yaml_file import load_yaml
from synth_api.errors import InputError

SPHERES = (Path(__file__).parents[3] / "recipes/spheres_sem.yaml").read_text()
OCTAL = ["0042", "0012", "010", "-010", "+07", "0o17", "0_7", "00", "08", "0O17"]
OTHERS = ["0x1F", "0X1f", "0b101", "0B1", "1:30", "-1:30", "190:20:30", "1:30.5", "007.5", "00e3", "1_", "1__000"]


@pytest.mark.parametrize("number", OCTAL + OTHERS)
def test_a_number_that_readers_disagree_about_is_refused(
    number: str, written: Callable[..., Path], refusal: Callable[..., str]
) -> None:
    path = written(beads=SPHERES.replace("seed: 42", f"seed: {number}", 1))
    line = path.read_text().splitlines().index(f"  seed: {number}") + 1
    assert refusal(read_recipe, path) == (
        f"{path}: initial_runtime_state.seed: line {line}: {number} differs between readers of YAML; "
        f"write the number in decimal without leading zeros, or '{number}' in quotes for a text"
    )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("blueprints: {particles: {Bead: {number: 010}}}", "blueprints.particles.Bead.number: line 1: 010"),
        ("a:\n  - 1\n  - [2, 0x10]", "a[1][1]: line 3: 0x10"),
        ("a:\n  0042: 1", "a: line 2: 0042"),
        ("a: &b 017\nc: *b", "a: line 1: 017"),
        ("0o17", "line 1: 0o17"),
    ],
)
def test_the_message_names_key_and_line_of_the_number(
    text: str, where: str, written: Callable[..., Path], refusal: Callable[..., str]
) -> None:
    path = written(fragment=text)
    assert f"{path}: {where} differs between" in refusal(load_yaml, path)


def test_a_fragment_is_read_like_a_recipe(written: Callable[..., Path], refusal: Callable[..., str]) -> None:
    path = written(
        beads=SPHERES.replace("- BaseRecipe", "- BaseRecipe\n  - dense"),
        dense="blueprints: {particles: {Bead: {number: 0600}}}",
    )
    assert "dense.yaml: blueprints.particles.Bead.number: line 1: 0600 differs between" in refusal(read_recipe, path)


def test_a_variable_of_the_environment_is_read_like_a_file(
    written: Callable[..., Path], refusal: Callable[..., str]
) -> None:
    path = written(beads=SPHERES.replace("seed: 42", "seed: ${oc.decode:${oc.env:SEED}}", 1))
    assert ": initial_runtime_state.seed: line 1: 0042 differs between" in refusal(read_recipe, path, {"SEED": "0042"})


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-0", 0), ("42", 42), ("+5", 5), ("1_000", 1000), ("1e3", 1000.0), ("0.50", 0.5), (".5", 0.5)]
    + [(f"'{number}'", number) for number in OCTAL + OTHERS]
    + [("0abc", "0abc"), ("2026-01-01", "2026-01-01"), ("1:2:x", "1:2:x"), ("1.2.3", "1.2.3")],
)
def test_decimals_and_texts_are_read_as_written(text: str, value: object, written: Callable[..., Path]) -> None:
    assert load_yaml(written(a=f"a: {text}")) == {"a": value}


@given(text=st.from_regex(r"[-+]?[0-9][0-9_.:eExXoObB+-]{0,6}", fullmatch=True))
def test_a_file_and_an_override_have_the_same_number(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "number.yaml"
    path.write_text(f"[{text}]")
    try:
        (value,) = load_yaml(path)
    except InputError:
        return
    if isinstance(value, int | float):
        assert OverridesParser.create().parse_override(f"a={text}").value() == value
