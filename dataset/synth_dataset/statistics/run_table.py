"""Runs of a dataset as arrays, from `index.parquet`: some thirty bytes a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_api.splits import find_column
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.table_stream import iterate_batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow.parquet as pq
    from numpy.typing import NDArray

_ROWS: Final = 16_384
MAX_GROUPS: Final = 200
SCALE: Final = "nanometres_per_unit"
"""Feature of a measurement technique: nanometres of a scene unit, 0 if unknown."""
_COLUMNS: Final = {
    "run": np.int32,
    "label_digest": np.uint64,
    "particles": np.int32,
    "visible": np.int32,
    "seconds": np.float32,
    "width": np.int32,
    "height": np.int32,
    "pixel_size": np.float64,
}
"""Types in memory; of digests the first 8 bytes, which tell labels apart."""


@dataclass(frozen=True)
class RunTable:
    """Runs in the order of their numbers, each array of shape (runs,)."""

    run: NDArray[np.int32]
    label_digest: NDArray[np.uint64]
    """First 8 bytes of the label digest."""
    particles: NDArray[np.int32]
    visible: NDArray[np.int32]
    seconds: NDArray[np.float32]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    pixel_size: NDArray[np.float64]
    """Scene units; NaN where a pixel has no single size."""
    scale: NDArray[np.float64]
    """Nanometres of a scene unit; NaN where it is unknown."""
    by: str | None
    values: tuple[Any, ...]
    """Values of the axis `by`, in ascending order, null last."""
    group: NDArray[np.uint8]
    """Place of the run's value in `values`; 0 without an axis."""

    def __len__(self) -> int:
        return len(self.run)

    def find_places(self, runs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of runs (N,) by number."""
        return np.searchsorted(self.run, runs.astype(self.run.dtype))  # another type would copy all runs


def read_runs(index: pq.ParquetFile, recipe: dict[str, Any] | None = None, by: str | None = None) -> RunTable:
    """Read the runs of an index; `by` is an axis, or the end of its path, and `recipe` that of all runs.

    Raises InputError for an axis that the index lacks or that has too many values, DocumentError for an index of an
    earlier release.
    """
    columns: list[str] = index.schema_arrow.names
    if missing := [name for name in _COLUMNS if name not in columns]:
        remedy = "synth gallery writes the index of a folder again, synth retry that of a sweep"
        raise DocumentError(f"index.parquet has no {missing[0]}: an earlier release has written it; {remedy}")
    axis = find_column(by, columns, "--by") if by else None
    scale_axis = next((name for name in columns if name.endswith(f".{SCALE}")), None)
    rows = index.metadata.num_rows
    table = {name: np.empty(rows, kind) for name, kind in _COLUMNS.items()}
    scale = np.full(1 if scale_axis is None else rows, find_scale(recipe) if recipe else 0.0)
    group, known = np.zeros(rows, np.uint8), dict[bytes, tuple[Any, int]]()
    end = 0
    for batch in iterate_batches(index, _ROWS, list({*_COLUMNS, *filter(None, (axis, scale_axis))})):
        part = slice(end, end := end + len(batch))
        for name, array in table.items():
            array[part] = _to_numbers(batch.column(name))
        if scale_axis is not None:
            scale[part] = [
                cell if isinstance(cell, int | float) else 0 for cell in batch.column(scale_axis).to_pylist()
            ]
        if axis is not None:
            group[part] = _number_values(batch.column(axis).to_pylist(), known, axis)
    values, order = _sort_values(known)
    return RunTable(
        **{name: _share_value(array) for name, array in table.items()},
        scale=np.broadcast_to(np.where(scale > 0, scale, np.nan), rows),
        by=axis,
        values=values,
        group=order[group] if axis else group,
    )


def _share_value(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values (runs,), in memory once if all are the same: most sweeps have pictures of one size."""
    return np.broadcast_to(values[:1].copy(), len(values)) if len(values) and (values == values[0]).all() else values


def read_key_starts(index: pq.ParquetFile) -> NDArray[np.uint64]:
    """Return the first 8 bytes of the key of each run (runs,)."""
    starts = [_to_numbers(batch.column("key")) for batch in iterate_batches(index, _ROWS, ["key"])]
    return np.concatenate(starts) if starts else np.zeros(0, np.uint64)


def read_keys(index: pq.ParquetFile, places: NDArray[np.int64]) -> list[str]:
    """Return the keys of the runs at ascending places of the index."""
    keys: list[str] = []
    end = 0
    for batch in iterate_batches(index, _ROWS, ["key"]):
        start, end = end, end + len(batch)
        inside = places[(places >= start) & (places < end)] - start
        keys += batch.column("key").take(pa.array(inside)).to_pylist()
    return keys


def _to_numbers(column: pa.Array) -> NDArray[Any]:
    """Return a column of numbers with NaN for null, or the first 8 bytes of texts in hexadecimal."""
    if pa.types.is_string(column.type):
        return np.array([int(text[:16], 16) for text in column.to_pylist()], np.uint64)
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values


def _number_values(cells: Sequence[Any], known: dict[bytes, tuple[Any, int]], axis: str) -> NDArray[np.int64]:
    """Return the number of each value, in order of appearance."""
    numbers = [known.setdefault(canonical_json(cell), (cell, len(known)))[1] for cell in cells]
    if len(known) > MAX_GROUPS:
        problem = f"'{axis}' has more than {MAX_GROUPS} values; take an axis with fewer"
        raise InputError("--by", problem)
    return np.array(numbers, np.int64)


def sort_key(value: Any) -> tuple[int, Any]:
    """Return what values of an axis are sorted by: numbers, then texts, lists by their items, the others, null."""
    if value is None:
        return 4, 0
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 1, value
    if isinstance(value, list | tuple):
        return 2, [sort_key(item) for item in value]
    return 3, canonical_json(value)


def _sort_values(known: dict[bytes, tuple[Any, int]]) -> tuple[tuple[Any, ...], NDArray[np.uint8]]:
    """Return the values in ascending order, and the place of each number in it."""
    entries = sorted(known.values(), key=lambda entry: sort_key(entry[0]))
    places = np.empty(len(entries), np.uint8)
    places[[number for _, number in entries]] = np.arange(len(entries))
    return tuple(value for value, _ in entries), places


def find_scale(recipe: dict[str, Any]) -> float:
    """Return the nanometres of a scene unit that a composed recipe gives its technique; 0 if none, or a drawn one."""
    if f"'feature_name': '{SCALE}'" in repr(recipe):
        return 0.0
    techniques = (recipe.get("blueprints") or {}).get("measurement_techniques") or {}
    found = {(one.get("features") or {}).get(SCALE, 0.0) for one in techniques.values()}
    value = found.pop() if len(found) == 1 else 0.0
    return float(value) if isinstance(value, int | float) else 0.0
