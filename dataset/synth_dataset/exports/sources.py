"""Datasets that an export reads together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_dataset.attempts.dataset_source import DatasetSource


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
