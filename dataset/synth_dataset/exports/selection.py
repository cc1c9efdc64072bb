"""Selection of an export: which runs of its datasets, in which split, as arrays of some ten bytes a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_api.run_filter import parse_run_filter
from synth_api.splits import find_column
from synth_dataset.documents import layout
from synth_dataset.exports.sources import list_all_columns, list_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from synth_api.run_filter import RunFilter
    from synth_api.splits import Splits
    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.exports.options import ExportOptions

_BASE_COLUMNS: Final = ("run", "key", "seed", "visible", "folder")
_TYPE: Final = np.dtype(
    [("number", "i8"), ("key", "S32"), ("content", "S8"), ("split", "u1"), ("source", "u2"), ("visible", "i8")]
)


class SelectedRun(NamedTuple):
    """Run of an export: its number and split there, its key, and the index of its dataset."""

    number: int
    key: str
    split: str
    source: int


@dataclass(frozen=True)
class Selection:
    """Selected runs in the order of their numbers."""

    table: NDArray[np.void]
    """Fields number, key, content, split, source, visible; shape (runs,)."""
    splits: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.table)

    def list_empty_splits(self) -> list[str]:
        """Return the names of splits without a run."""
        used = set(np.unique(self.table["split"]).tolist())
        return [name for number, name in enumerate(self.splits) if number not in used]

    def iterate(self, positions: Sequence[int] | NDArray[np.int64]) -> Iterator[SelectedRun]:
        """Yield the runs at positions of the table."""
        for row in self.table[positions]:
            key = layout.format_key(bytes(row["key"]))
            yield SelectedRun(int(row["number"]), key, self.splits[int(row["split"])], int(row["source"]))


def select_runs(sources: Sequence[DatasetSource], options: ExportOptions) -> Selection:
    """Select the runs of all sources that the filter keeps, each with its split; a key of two sources is one run.

    Numbers are those of the dataset; those of a further dataset follow the numbers of the one before. Raises
    InputError for a filter or an axis that does not fit, and for a run that two datasets have with other labels.
    """
    columns = list_all_columns(sources)
    splits = _resolve_axes(options.splits, list_axes(sources))
    run_filter = parse_run_filter(options.where, columns) if options.where else None
    parts = [np.empty(0, _TYPE)]
    first = 0
    for number, source in enumerate(sources):
        rows = list(_select_rows(source, number, first, splits, run_filter, options.limit))
        parts.append(np.array(rows, _TYPE))
        first += source.attempt.runs
    table = _merge_copies(np.concatenate(parts), sources)
    return Selection(table[: options.limit], splits.names)


def _resolve_axes(splits: Splits, axes: Sequence[str]) -> Splits:
    """Return splits with the whole paths of their axes. Raises InputError."""
    group = find_column(splits.group, axes, "--group") if splits.group else None
    rules = tuple(replace(rule, axis=find_column(rule.axis, axes, "--split-by")) for rule in splits.rules)
    return replace(splits, group=group, rules=rules)


def _select_rows(
    source: DatasetSource, number: int, first: int, splits: Splits, run_filter: RunFilter | None, limit: int | None
) -> Iterator[tuple[Any, ...]]:
    columns = [*_BASE_COLUMNS, *splits.axes, *(run_filter.columns if run_filter else ())]
    sides = {name: index for index, name in enumerate(splits.names)}
    known: dict[bytes, int] = {}
    found = 0
    for row in source.iterate_rows(list(dict.fromkeys(columns))):
        if found == limit:
            return
        if run_filter and not run_filter.holds(row):
            continue
        found += 1
        axes = {axis: row[axis] for axis in splits.axes if row[axis] is not None}
        cause = canonical_json([row["seed"], axes])
        if cause not in known:
            known[cause] = sides[splits.find_split(row["seed"], axes)]
        content = row["folder"].rpartition("/")[2]
        yield first + row["run"], bytes.fromhex(row["key"]), content, known[cause], number, row["visible"]


def _merge_copies(table: NDArray[np.void], sources: Sequence[DatasetSource]) -> NDArray[np.void]:
    """Keep the first of runs with one key, in the order of numbers. Raises InputError if their labels differ."""
    _, firsts, places = np.unique(table["key"], return_index=True, return_inverse=True)
    first_of = firsts[places]
    for position in np.flatnonzero(table["content"] != table["content"][first_of]):
        _compare_labels(table[first_of[position]], table[position], sources)
    kept: NDArray[np.void] = table[np.sort(firsts)]
    return kept


def _compare_labels(one: Mapping[str, Any] | np.void, two: np.void, sources: Sequence[DatasetSource]) -> None:
    key = layout.format_key(bytes(two["key"]))
    first, second = sources[int(one["source"])], sources[int(two["source"])]
    if first.store.read_manifest(key).label_digest != second.store.read_manifest(key).label_digest:
        problem = f"has other labels in {first.location} than in {second.location}; export them apart"
        raise InputError(f"run {key[:12]}", problem)
