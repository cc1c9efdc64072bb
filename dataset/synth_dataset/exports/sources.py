"""Datasets that an export reads together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.splits import Splits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dataset.attempts.dataset_source import DatasetSource


def join_names(sources: Iterable[DatasetSource]) -> str:
    """Return the names of datasets, `+` between them."""
    return "+".join(source.dataset.name for source in sources)


def join_cards(sources: Iterable[DatasetSource]) -> DatasetCard:
    """Return what people say of datasets: of several ones what they have in common, and all authors."""
    cards = [source.attempt.card for source in sources]
    first, *others = [card.list_values() for card in cards]
    common = {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}
    authors = dict.fromkeys(author for card in cards for author in card.authors)
    return DatasetCard.model_validate({**common, "authors": tuple(authors), "split": {}})


def complete_splits(splits: Splits, sources: Iterable[DatasetSource]) -> Splits:
    """Return splits with the shares that the datasets name, if they have none. Raises InputError."""
    if splits.shares:
        return splits
    named = {source.location: source.attempt.card.splits for source in sources}
    first, *others = named.items()
    for other in others:
        if other[1] != first[1]:
            problem = f"{first[0]} and {other[0]} have different splits of their own; give --split"
            raise InputError("DATASET", problem)
    return replace(splits, shares=(first[1] or Splits()).shares)


def list_axes(sources: Iterable[DatasetSource]) -> list[str]:
    """Return the paths of the axes of all sources, in order of appearance."""
    return list(dict.fromkeys(axis.path for source in sources for axis in source.attempt.axes))


def list_all_columns(sources: Iterable[DatasetSource]) -> list[str]:
    """Return the columns of the indexes of all sources, in order of appearance."""
    return list(dict.fromkeys(name for source in sources for name in source.list_columns()))


def check_distinct(sources: Sequence[DatasetSource]) -> None:
    """Raise InputError if a dataset is there twice."""
    seen: set[tuple[str, str, str]] = set()
    for source in sources:
        identity = (source.store.location, source.dataset.namespace, source.dataset.name)
        if identity in seen:
            raise InputError("DATASET", f"{source.location} is there twice; give each dataset once")
        seen.add(identity)
