"""Specs that only a hostile client writes: they are a problem of their object and nothing else."""

from typing import Any

import pytest

from synth_operator.kube.recipe_object import RecipeObject
from synth_operator.kube.sweep_object import SweepObject

METADATA = {"namespace": "lab", "name": "r", "uid": "1", "resourceVersion": "1"}


def nest(levels: int, inner: Any) -> Any:
    for _ in range(levels):
        inner = {"a": [inner]}
    return inner


def test_a_spec_as_deep_as_the_api_takes_it_is_invalid() -> None:
    deep = {"metadata": METADATA, "spec": {"recipe": nest(4_900, 1)}}

    problem = "recipe.a.0.a: is nested more than 64 deep; flatten it"
    assert RecipeObject.from_json(deep).problem == problem
    assert SweepObject.from_json(deep).problem == problem


def test_a_usual_depth_is_no_problem() -> None:
    recipe = RecipeObject.from_json({"metadata": METADATA, "spec": {"recipe": nest(30, 1)}})

    assert (recipe.problem, recipe.spec.recipe) == ("", nest(30, 1))


@pytest.mark.parametrize("spec", [None, [], "text", 1, {"recipe": []}, {"recipeRef": "r"}, {"parallelism": 10**400}])
def test_a_spec_of_another_form_is_a_problem(spec: Any) -> None:
    assert SweepObject.from_json({"metadata": METADATA, "spec": spec}).problem
