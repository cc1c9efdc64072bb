"""Overrides that need no Hydra: the same trees as Hydra's, and Hydra for all others."""

from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hydra.core.config_store import ConfigStore

from synth_api.composition import compose
from synth_api.composition.compose import compose_recipe
from synth_api.composition.overrides import format_override_value, index_overrides
from synth_api.composition.scalar_overrides import replace_scalars
from synth_api.composition.skeleton import remove_unset_names
from synth_api.composition.source import read_recipe

RECIPES = sorted((Path(__file__).parents[3] / "recipes").glob("*.yaml"))
SPHERES = next(path for path in RECIPES if path.stem == "spheres_sem")
VALUES = (7, -2.5, 1e-9, True, "a word", "", "1", "null", "München", "it's", "$x", "a\\b", float("inf"))
NUMBER = "blueprints.particles.Bead.number"


def list_scalars(node: Any, place: tuple[str, ...] = ()) -> list[str]:
    """Return the dotted paths of plain values without a meaning for Hydra."""
    if isinstance(node, dict | list):
        children = node.items() if isinstance(node, dict) else enumerate(node)
        return [path for key, child in children for path in list_scalars(child, (*place, str(key)))]
    is_plain = isinstance(node, int | float | str) and not any(sign in str(node) for sign in ("${", "???"))
    return [".".join(place)] if is_plain else []


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_value_of_a_recipe_is_replaced_as_hydra_replaces_it(path: Path) -> None:
    source = read_recipe(path)
    tree = compose_recipe(source)
    overrides = [
        f"{place}={format_override_value(value)}"
        for place, value in zip(list_scalars(tree), cycle(VALUES), strict=False)
        if not place.endswith(".id")
    ]
    indexed = tuple(index_overrides(tree, overrides))

    replaced = replace_scalars(tree, indexed)

    by_hydra = remove_unset_names(compose._compose_tree(source, indexed))
    assert repr(replaced) == repr(by_hydra)  # 1, 1.0 and True are equal
    assert replaced != tree == compose_recipe(source)


@pytest.mark.parametrize(
    "override",
    [
        f"+{NUMBER}x=1",
        f"++{NUMBER}=1",
        "~process_conditions.feature_variabilities",
        f"{NUMBER}=null",
        f"{NUMBER}=[1]",
        f"{NUMBER}={{a:1}}",
        f"{NUMBER}='${{initial_runtime_state.seed}}'",
        f"{NUMBER}='???'",
        "blueprints.particles.Bead.features=1",
        "blueprints.particles.Bead.parent.name=1",
        "synth_chain.feature_generation_steps.x=1",
    ],
)
def test_all_other_overrides_are_hydras(override: str) -> None:
    tree = compose_recipe(read_recipe(SPHERES))

    assert replace_scalars(tree, [f"{NUMBER}=3", override]) is None


def test_the_config_store_of_a_program_stays_as_it_is() -> None:
    store = ConfigStore.instance()
    store.store(name="somebodys", node={"a": 1})
    before = dict(store.repo)
    compose._compose_files.cache_clear()
    compose_recipe(read_recipe(SPHERES))

    assert store.repo == before
