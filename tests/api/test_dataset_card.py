"""What people say of a dataset: checked, merged, and no part of any run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth_api.composition.source import read_recipe, read_recipe_objects
from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.problems import convert_validation_error
from synth_api.sweep.definition import Sweep

SPHERES = Path(__file__).parents[2] / "recipes" / "spheres_sem.yaml"
SEEDS = "initial_runtime_state.seed=range(3)"
CARD = {
    "title": "Spheres, seen from above",
    "version": "1.0",
    "licence": "cc-by-4.0",
    "authors": ["A. Author", "B. Author"],
    "split": {"train": 0.8, "test": 0.2},
}


def load(card: dict[str, Any], given: DatasetCard | None = None) -> Sweep:
    tree = dict(read_recipe(SPHERES).files["spheres_sem"])
    return Sweep.from_source(read_recipe_objects("spheres", tree | {"dataset": card}), [SEEDS], card=given)


def test_a_card_changes_no_run_key_but_the_plan() -> None:
    plain, described, given = load({}), load(CARD), load({}, DatasetCard(title="Other"))
    assert list(plain.keys()) == list(described.keys()) == list(given.keys())
    assert plain.key(1) == described.key(1)
    assert len({sweep.plan() for sweep in (plain, described, given)}) == 3
    assert plain.plan() == Sweep.load(SPHERES, [SEEDS]).plan()


def test_the_plan_of_a_recipe_without_a_card_is_that_of_earlier_releases() -> None:
    assert Sweep.load(SPHERES, [SEEDS]).plan() == "c6b2f2765599cc472ff40593d760abab5fd1115ebcfe685bd4d7c199fe9c3743"


def test_the_sweep_goes_before_the_recipe_key_by_key() -> None:
    card = load(CARD, DatasetCard(title="Other", authors=("C. Author",))).card
    assert card.list_values() == {
        "title": "Other",
        "version": "1.0",
        "licence": "CC-BY-4.0",
        "authors": ["C. Author"],
        "split": {"test": 0.2, "train": 0.8},
    }


def test_an_override_may_set_a_key() -> None:
    sweep = Sweep.load(SPHERES, ["dataset.title=Few", "dataset.authors=[A. Author]", "dataset.split={train: 1}"])
    assert sweep.card == DatasetCard(title="Few", authors=("A. Author",), split={"train": 1.0})


def test_interpolations_may_refer_to_the_recipe() -> None:
    assert load({"title": "${blueprints.particles.Bead.number} spheres"}).card.title == "600 spheres"


def test_splits_count_in_code_point_order_because_the_api_server_sorts_keys() -> None:
    one, other = DatasetCard(split={"train": 0.8, "test": 0.2}), DatasetCard(split={"test": 0.2, "train": 0.8})
    assert one.splits == other.splits
    assert one.splits is not None
    assert one.splits.names == ("test", "train")
    assert DatasetCard().splits is None


@pytest.mark.parametrize(
    ("card", "problem"),
    [
        ({"titel": "x"}, "titel: there is no key 'titel' here; did you mean 'title'?"),
        ({"licence": "CC-BY"}, "licence: 'CC-BY' is no SPDX licence identifier; did you mean 'CC-BY-4.0'?"),
        ({"licence": "mine"}, "licence: 'mine' is no SPDX licence identifier; some of"),
        ({"version": 3}, "version: must be a string, not 3"),
        ({"authors": "A. Author"}, "authors: must be a list, not 'A. Author'"),
        ({"title": "two\nlines"}, "title: must be one line of text without control characters"),
        ({"citation": "a\x1b[31m"}, "citation: must be text without control characters other than line ends"),
        ({"split": {"train": 0.8}}, "split: the shares sum to 0.8; make them sum to 1"),
        ({"split": {"Train": 1.0}}, "split: 'Train' cannot be the name of a split"),
        ({"split": [0.8, 0.2]}, "split: must be a mapping, not a list"),
    ],
)
def test_mistakes_are_named_with_what_would_be_right(card: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DatasetCard.model_validate(card)
    assert str(convert_validation_error(caught.value)).startswith(problem)


def test_mistakes_in_a_recipe_name_their_path() -> None:
    with pytest.raises(InputError, match=r"^dataset\.licence: 'CC-BY' is no SPDX licence identifier"):
        load({"licence": "CC-BY"})
    with pytest.raises(InputError, match=r"dataset\.titel: there is no key 'titel' here; did you mean 'title'"):
        load({"titel": "x"})


def test_a_null_counts_as_left_out() -> None:
    assert DatasetCard.model_validate({"title": None, "split": None}) == DatasetCard()
