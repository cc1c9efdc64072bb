"""`parameters`: values under short names, to which others refer."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_api.errors import InputError
from synth_api.recipe.run_key import compute_run_key
from synth_api.sweep.definition import Sweep

RECIPES = Path(__file__).parents[3] / "recipes"
DEFOCUS = "process_conditions.feature_variabilities.Defocus.variability.scale"
NAMED = """
defaults: [spheres_sem, BaseRecipe, _self_]
parameters: {defocus: 0.1, idle: 3}
process_conditions: {feature_variabilities: {Defocus: {variability: {scale: "${parameters.defocus}"}}}}
"""


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A recipe that refers to a parameter."""
    for source in RECIPES.glob("spheres_sem.yaml"):
        (tmp_path / source.name).write_text(source.read_text())
    path = tmp_path / "named.yaml"
    path.write_text(NAMED)
    return path


def keys_of(path: Path, *arguments: str) -> list[str]:
    sweep = Sweep.load(path, list(arguments))
    return [compute_run_key(sweep.build_recipe(run)) for run in range(sweep.runs)]


def test_the_key_of_a_run_has_the_value_and_not_its_name(named: Path) -> None:
    plain = RECIPES / "spheres_sem.yaml"
    assert keys_of(named, "parameters.defocus=0.2") == keys_of(plain, f"{DEFOCUS}=0.2")
    assert keys_of(named, "parameters.idle=4") == keys_of(named) == keys_of(plain, f"{DEFOCUS}=0.1")


def test_an_axis_changes_every_value_that_refers_to_the_parameter(named: Path) -> None:
    axis = "parameters.defocus=0.1,0.2"
    fast = Sweep.load(named, [axis]).keys(0, 2)
    assert keys_of(named, axis) == [key.hex() for key in fast]
    assert len(set(keys_of(named, axis))) == 2


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("parameters.defocu=2", "parameters.defocu: there is no key 'defocu' in parameters .* did you mean 'defocus'?"),
        ("parameters.idle={a: 1}", "parameters.idle: must be a number, string, bool, null or a list .* not a mapping"),
        (
            "parameters.defocus=x",
            "Defocus.variability.scale: must be a number, not 'x' .the value of parameters.defocus.$",
        ),
        (
            "parameters.defocus=0.1,x",
            r"not 'x' .the value of parameters.defocus. .in the run with parameters.defocus='x'.$",
        ),
        ("process_conditions.feature_variabilities.Defocus.variability.scale=x", "must be a number, not 'x'$"),
        ("parameters.idle=1,2", "parameters.idle: the 1st and the 2nd value of the axis make the same run"),
    ],
)
def test_a_parameter_that_cannot_work_is_refused(named: Path, argument: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        Sweep.load(named, [argument])


def test_a_recipe_without_parameters_keeps_its_digest(named: Path) -> None:
    plain = RECIPES / "spheres_sem.yaml"
    assert "parameters" not in Sweep.load(plain).base
    assert Sweep.load(named).recipe_digest != Sweep.load(named, ["parameters.defocus=0.2"]).recipe_digest
