"""Runs of a dataset as arrays, from `index.parquet`: some hundred bytes a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_api.splits import find_column
from synth_dataset.documents.document import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow.parquet as pq
    from numpy.typing import NDArray

_ROWS: Final = 16_384
MAX_GROUPS: Final = 200
SCALE: Final = "nanometres_per_unit"
"""Feature of a measurement technique: nanometres of a scene unit, 0 if unknown."""
_NUMBERS: Final = ("run", "particles", "visible", "seconds", "width", "height", "pixel_size")
_DIGESTS: Final = ("key", "label_digest")


@dataclass(frozen=True)
class RunTable:
    """Runs in the order of their numbers, each array of shape (runs,)."""

    run: NDArray[np.int64]
    key: NDArray[np.bytes_]
    """Type S32."""
    label_digest: NDArray[np.bytes_]
    """Type S32."""
    particles: NDArray[np.int64]
    visible: NDArray[np.int64]
    seconds: NDArray[np.float64]
    pixels: NDArray[np.int64]
    pixel_size: NDArray[np.float64]
    """Scene units; NaN where a pixel has no single size."""
    scale: NDArray[np.float64]
    """Nanometres of a scene unit; NaN where it is unknown."""
    by: str | None
    values: tuple[Any, ...]
    """Values of the axis `by`, in ascending order, null last."""
    group: NDArray[np.int64]
    """Place of the run's value in `values`; 0 without an axis."""

    def __len__(self) -> int:
        return len(self.run)

    def find_places(self, runs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of runs (N,) by number."""
        return np.searchsorted(self.run, runs)


def read_runs(index: pq.ParquetFile, recipe: dict[str, Any] | None = None, by: str | None = None) -> RunTable:
    """Read the runs of an index; `by` is an axis, or the end of its path, and `recipe` that of all runs.

    Raises InputError for an axis that the index lacks or that has too many values, DocumentError for an index of an
    earlier release.
    """
    columns: list[str] = index.schema_arrow.names
    if missing := [name for name in (*_NUMBERS, *_DIGESTS) if name not in columns]:
        remedy = "synth gallery writes the index of a folder again, synth retry that of a sweep"
        raise DocumentError(f"index.parquet has no {missing[0]}: an earlier release has written it; {remedy}")
    axis = find_column(by, columns, "--by") if by else None
    scale_axis = next((name for name in columns if name.endswith(f".{SCALE}")), None)
    wanted = [name for name in dict.fromkeys((*_NUMBERS, *_DIGESTS, axis, scale_axis)) if name]
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in wanted}
    known: dict[bytes, tuple[Any, int]] = {}
    groups: list[NDArray[np.int64]] = []
    for batch in index.iter_batches(_ROWS, columns=wanted):
        for name in wanted:
            parts[name].append(_to_array(name, batch.column(name)))
        groups.append(_number_values(batch.column(axis).to_pylist(), known, axis) if axis else _zeros(len(batch)))
    table = {name: np.concatenate(arrays) if arrays else np.empty(0) for name, arrays in parts.items()}
    values, order = _sort_values(known)
    group = np.concatenate(groups) if groups else _zeros(0)
    return RunTable(
        run=table["run"].astype(np.int64),
        key=table["key"].astype("S32"),
        label_digest=table["label_digest"].astype("S32"),
        particles=table["particles"].astype(np.int64),
        visible=table["visible"].astype(np.int64),
        seconds=table["seconds"],
        pixels=(table["width"] * table["height"]).astype(np.int64),
        pixel_size=table["pixel_size"],
        scale=_find_scales(recipe, table.get(scale_axis or ""), len(group)),
        by=axis,
        values=values,
        group=order[group] if axis else group,
    )


def _zeros(length: int) -> NDArray[np.int64]:
    return np.zeros(length, np.int64)


def _to_array(name: str, column: Any) -> NDArray[Any]:
    if name in _DIGESTS:
        return np.array([bytes.fromhex(text) for text in column.to_pylist()], "S32")
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values.astype(np.float64) if name in _NUMBERS else values


def _number_values(cells: Sequence[Any], known: dict[bytes, tuple[Any, int]], axis: str) -> NDArray[np.int64]:
    """Return the number of each value, in order of appearance."""
    numbers = [known.setdefault(canonical_json(cell), (cell, len(known)))[1] for cell in cells]
    if len(known) > MAX_GROUPS:
        problem = f"'{axis}' has more than {MAX_GROUPS} values; take an axis with fewer"
        raise InputError("--by", problem)
    return np.array(numbers, np.int64)


def sort_key(value: Any) -> tuple[bool, bool, Any]:
    """Return what values of an axis are sorted by: numbers, then texts, then null."""
    return value is None, isinstance(value, str), 0 if value is None else value


def _sort_values(known: dict[bytes, tuple[Any, int]]) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
    """Return the values in ascending order, and the place of each number in it."""
    entries = sorted(known.values(), key=lambda entry: sort_key(entry[0]))
    places = np.empty(len(entries), np.int64)
    places[[number for _, number in entries]] = np.arange(len(entries))
    return tuple(value for value, _ in entries), places


def _find_scales(recipe: dict[str, Any] | None, axis: NDArray[Any] | None, runs: int) -> NDArray[np.float64]:
    """Return the nanometres of a scene unit of each run, from its axis or else from the recipe."""
    if axis is not None:
        known = np.array([value if isinstance(value, int | float) else 0 for value in axis.tolist()], np.float64)
    else:
        known = np.full(runs, find_scale(recipe) if recipe else 0.0)
    return np.where(known > 0, known, np.nan)


def find_scale(recipe: dict[str, Any]) -> float:
    """Return the nanometres of a scene unit that a composed recipe gives its technique; 0 if none, or a drawn one."""
    if f"'feature_name': '{SCALE}'" in repr(recipe):
        return 0.0
    techniques = (recipe.get("blueprints") or {}).get("measurement_techniques") or {}
    found = {(one.get("features") or {}).get(SCALE, 0.0) for one in techniques.values()}
    value = found.pop() if len(found) == 1 else 0.0
    return float(value) if isinstance(value, int | float) else 0.0
