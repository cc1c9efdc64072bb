"""`index.parquet`: one row per existing run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from synth_api.canonical_json import canonical_json
from synth_dataset.views.run_pictures import list_pictures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from synth_dataset.documents.attempt_document import AxisDocument
    from synth_dataset.views.dataset_run import DatasetRun

_ROWS: Final = 1_024
"""Rows that memory holds as Python objects, 2 kB each."""
_ROW_GROUP: Final = 4
"""Tables of _ROWS rows in a row group."""


@dataclass(frozen=True)
class IndexTotals:
    """Totals over the rows of an index."""

    runs: int = 0
    visible: int = 0
    """Number of visible particles."""


def write_index(path: Path, axes: Sequence[AxisDocument], runs: Iterable[DatasetRun]) -> IndexTotals:
    """Write runs in row groups as they arrive; return the totals.

    Columns `run key`, one per axis named by its path (integer, float, bool or text; lists as JSON), `seed particles
    visible seconds folder width height pixel_size label_digest split pictures`.
    """
    schema = _build_schema(axes)
    totals = IndexTotals()
    remaining = iter(runs)
    # An open file, because pyarrow parses a path with a colon as a URI.
    with path.open("wb") as stream, pq.ParquetWriter(stream, schema) as writer:
        while tables := list(islice(_build_tables(schema, remaining), _ROW_GROUP)):
            table = pa.concat_tables(tables)
            writer.write_table(table)
            visible = sum(table["visible"].to_pylist())
            totals = IndexTotals(totals.runs + len(table), totals.visible + visible)
    return totals


def _build_tables(schema: pa.Schema, runs: Iterator[DatasetRun]) -> Iterator[pa.Table]:
    while records := [_build_row(schema, run) for run in islice(runs, _ROWS)]:
        yield pa.Table.from_pylist(records, schema=schema)


def tabulate_runs(axes: Sequence[AxisDocument], runs: Iterable[DatasetRun]) -> pa.Table:
    """Return runs as a table with the columns of `index.parquet`."""
    schema = _build_schema(axes)
    return pa.Table.from_pylist([_build_row(schema, run) for run in runs], schema=schema)


def list_columns(axes: Mapping[str, pa.DataType]) -> list[pa.Field]:
    """Return the columns of an index whose runs have these axes."""
    columns = [
        ("run", pa.int64()),
        ("key", pa.string()),
        *axes.items(),
        ("seed", pa.int64()),
        ("particles", pa.int64()),
        ("visible", pa.int64()),
        ("seconds", pa.float64()),
        ("folder", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("pixel_size", pa.float64()),
        ("label_digest", pa.string()),
        ("split", pa.string()),
        ("pictures", pa.list_(pa.string())),
    ]
    return [pa.field(*column) for column in columns]


def _build_schema(axes: Sequence[AxisDocument]) -> pa.Schema:
    return pa.schema(list_columns({axis.path: _find_type(axis.values) for axis in axes}))


def _find_type(values: Sequence[Any]) -> pa.DataType:
    types = {type(value) for value in values}
    if types == {bool}:
        return pa.bool_()
    if types == {int}:
        return pa.int64()
    return pa.float64() if types <= {int, float} else pa.string()


def _build_row(schema: pa.Schema, run: DatasetRun) -> dict[str, Any]:
    manifest = run.manifest
    return {
        "run": run.number,
        "key": manifest.key,
        **{path: to_cell(value, schema.field(path).type) for path, value in run.overrides.items()},
        "seed": manifest.seed,
        "particles": manifest.particles,
        "visible": manifest.visible,
        "seconds": manifest.total_seconds,
        "folder": run.folder,
        "width": manifest.width,
        "height": manifest.height,
        "pixel_size": manifest.pixel_size,
        "label_digest": manifest.label_digest,
        "split": run.split,
        "pictures": list_pictures(manifest),
    }


def to_cell(value: Any, column: pa.DataType) -> Any:
    """Return the value of an axis as a cell of its column."""
    if pa.types.is_string(column) and not isinstance(value, str):
        return canonical_json(value).decode()
    return float(value) if pa.types.is_floating(column) else value
