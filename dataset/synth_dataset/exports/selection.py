"""Selection of an export: which runs of its datasets, in which split, as arrays of some ten bytes a run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_api.run_filter import OPTION, parse_run_filter
from synth_api.splits import find_column
from synth_dataset.documents import layout
from synth_dataset.exports.sources import list_all_columns, list_axes
from synth_dataset.views.root_digest import RootDigest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from synth_api.run_filter import RunFilter
    from synth_api.splits import Splits
    from synth_dataset.attempts.dataset_source import DatasetSource

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

    def take(self, limit: int | None) -> Selection:
        """Return the first runs, at most `limit`."""
        return replace(self, table=self.table[:limit])

    def list_empty_splits(self) -> list[str]:
        """Return the names of splits without a run."""
        used = set(np.unique(self.table["split"]).tolist())
        return [name for number, name in enumerate(self.splits) if number not in used]

    def iterate(self, positions: Sequence[int] | NDArray[np.int64]) -> Iterator[SelectedRun]:
        """Yield the runs at positions of the table."""
        for row in self.table[positions]:
            key = layout.format_key(bytes(row["key"]))
            yield SelectedRun(int(row["number"]), key, self.splits[int(row["split"])], int(row["source"]))


def select_runs(
    sources: Sequence[DatasetSource],
    splits: Splits,
    filters: Sequence[str],
    limit: int | None = None,
    names: Sequence[str] = (),
) -> Selection:
    """Select the runs of each source that its filter keeps, with their splits; a key of two sources is one run.

    An empty filter keeps all. Numbers are those of the dataset; those of a further dataset follow the numbers of the
    one before. `names` are what errors call the filters, if not `--where`. Raises InputError for a filter or an axis
    that does not fit, and for a run that two datasets have with other labels.
    """
    columns = list_all_columns(sources)
    splits = _resolve_axes(splits, list_axes(sources))
    parts = [np.empty(0, _TYPE)]
    for number, (source, first, where) in enumerate(zip(sources, number_runs(sources), filters, strict=True)):
        with _name_filter(names[number] if names else OPTION):
            run_filter = parse_run_filter(where, columns) if where else None
            rows = list(_select_rows(source, number, first, splits, run_filter, limit))
        parts.append(np.array(rows, _TYPE))
    table = _merge_copies(np.concatenate(parts), sources)
    return Selection(table, splits.names).take(limit)


@contextmanager
def _name_filter(name: str) -> Iterator[None]:
    """Raise the InputError of a filter with its name."""
    try:
        yield
    except InputError as error:
        raise InputError(name if error.path == OPTION else error.path, error.problem) from None


def compute_root(sources: Sequence[DatasetSource], selection: Selection) -> str:
    """Return the root digest of the selected runs, which is that of a dataset if they are all its runs."""
    root = RootDigest()
    for number, (source, first) in enumerate(zip(sources, number_runs(sources), strict=True)):
        selected = selection.table["number"][selection.table["source"] == number] - first
        place = 0
        for row in source.iterate_rows(["run", "key", "folder", "label_digest"]):
            if place < len(selected) and row["run"] == selected[place]:
                place += 1
                digest = row["label_digest"] or source.read_manifest(row["key"]).label_digest
                root.add_run(row["key"], row["folder"].rpartition("/")[2], digest)
    return root.compute()


def number_runs(sources: Iterable[DatasetSource]) -> list[int]:
    """Return the number of the first run of each source."""
    return [0, *accumulate(source.attempt.runs for source in sources)][:-1]


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
    if first.read_manifest(key).label_digest != second.read_manifest(key).label_digest:
        problem = f"has other labels in {first.location} than in {second.location}; export them apart"
        raise InputError(f"run {key[:12]}", problem)
