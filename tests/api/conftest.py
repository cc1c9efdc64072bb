from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import Tree, read_recipe
from synth_api.errors import InputError
from synth_api.recipe.model import Recipe
from synth_api.recipe.parsing import parse_recipe

ROOT = Path(__file__).parents[2]


def load(path: Path, *overrides: str) -> Recipe:
    return parse_recipe(resolve(compose_recipe(read_recipe(path), overrides)))


@pytest.fixture
def spheres() -> Callable[..., Recipe]:
    """The tutorial's recipe with overrides."""
    return lambda *overrides: load(ROOT / "recipes/spheres_sem.yaml", *overrides)


@pytest.fixture
def mixed() -> Callable[..., Recipe]:
    """Our recipe of several shapes with overrides."""
    return lambda *overrides: load(ROOT / "recipes/mixed_shapes.yaml", *overrides)


@pytest.fixture(scope="session")
def spheres_tree() -> Tree:
    """The tutorial's recipe, composed and resolved."""
    return resolve(compose_recipe(read_recipe(ROOT / "recipes/spheres_sem.yaml")))


@pytest.fixture
def put() -> Callable[[Tree, str, object], Tree]:
    """A copy of a tree with the value at a dotted path replaced."""

    def put_into(tree: Tree, path: str, value: object) -> Tree:
        copy = deepcopy(tree)
        *words, last = [int(word) if word.isdigit() else word for word in path.split(".")]
        node: Any = copy
        for word in words:
            node = node[word]
        node[last] = value
        return copy

    return put_into


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write files, name -> text, into one folder; gives the path of the first."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return tmp_path / f"{next(iter(files))}.yaml"

    return write


@pytest.fixture
def refusal() -> Callable[..., str]:
    """The one sentence with which a call refuses its input."""

    def sentence_of(call: Callable[..., object], *arguments: object) -> str:
        with pytest.raises(InputError) as caught:
            call(*arguments)
        sentence = str(caught.value)
        assert "\n" not in sentence
        assert not sentence.endswith(".")
        return sentence

    return sentence_of


@pytest.fixture
def loaded() -> Callable[..., Recipe]:
    """Load the recipe of a path with overrides."""
    return load
