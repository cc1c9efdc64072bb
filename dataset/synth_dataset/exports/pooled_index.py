"""`index.parquet` at the top of an export: its runs with axes, counts and sizes, as the index of a dataset has them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from synth_dataset.documents import layout
from synth_dataset.exports.selection import number_runs
from synth_dataset.views.index import list_columns, to_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.exports.export_format import ExportContext

_ROWS: Final = 4096
_LEFT_OUT: Final = ("folder", "pictures")
"""Columns of the index of a dataset that name its files."""


def write_runs(path: Path, context: ExportContext) -> None:
    """Write the selected runs with the numbers and splits of the export; memory holds some of them."""
    schema = _build_schema(context.sources)
    rows = _iterate_rows(context, schema)
    with path.open("wb") as stream, pq.ParquetWriter(stream, schema) as writer:
        while records := list(islice(rows, _ROWS)):
            writer.write_table(pa.Table.from_pylist(records, schema=schema))


def _build_schema(sources: Sequence[DatasetSource]) -> pa.Schema:
    """Return the columns of all sources; an axis that has several types in them has the one that holds all values."""
    axes: dict[str, pa.DataType] = {}
    for source in sources:
        schema = source.open_table(layout.INDEX).schema_arrow
        for axis in source.attempt.axes:
            kind = schema.field(axis.path).type
            axes[axis.path] = _join_types(axes.get(axis.path, kind), kind)
    return pa.schema([field for field in list_columns(axes) if field.name not in _LEFT_OUT])


def _join_types(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other:
        return one
    numbers = {pa.int64(), pa.float64()}
    return pa.float64() if {one, other} == numbers else pa.string()


def _iterate_rows(context: ExportContext, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    table, splits = context.selection.table, context.selection.splits
    for number, (source, first) in enumerate(zip(context.sources, number_runs(context.sources), strict=True)):
        selected = table[table["source"] == number]
        place = 0
        for row in source.iterate_rows(schema.names):
            if place == len(selected):
                break
            run = first + row["run"]
            if run == selected["number"][place]:
                cells = {
                    name: None if row[name] is None else to_cell(row[name], schema.field(name).type) for name in row
                }
                yield _complete(cells, source) | {"run": run, "split": splits[int(selected["split"][place])]}
                place += 1


def _complete(row: dict[str, Any], source: DatasetSource) -> dict[str, Any]:
    """Return a row with what the index of an earlier release lacks."""
    if row["label_digest"] is not None:
        return row
    manifest = source.read_manifest(row["key"])
    names = ("width", "height", "pixel_size", "label_digest")
    return row | {name: getattr(manifest, name) for name in names}
