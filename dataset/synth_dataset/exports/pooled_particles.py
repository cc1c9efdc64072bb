"""`particles.parquet` at the top of an export: the particles of all its runs, with run, key and split before them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from synth_dataset.documents.particle_table import COLUMNS
from synth_dataset.exports.sample import PARTICLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.sample import Sample

DOCUMENT: Final = "particles"
_RUN_COLUMNS: Final = (
    pa.field("run", pa.int64(), metadata={"meaning": "number of the run in the export"}),
    pa.field("key", pa.string(), metadata={"meaning": "run key"}),
    pa.field("split", pa.string(), metadata={"meaning": "split of the run"}),
)


def build_schema(samples: Iterable[Sample]) -> pa.Schema:
    """Return the columns of the pooled table: those of a run of each dataset. Without runs it has no features."""
    fields: dict[str, pa.Field] = {
        name: pa.field(name, kind, metadata={"unit": unit, "meaning": meaning})
        for name, (kind, unit, meaning) in COLUMNS.items()
    }
    for sample in samples:
        for field in pq.read_schema(BytesIO(sample.read(PARTICLES))):
            known = fields.setdefault(field.name, pa.field(field.name, field.type))
            if field.type != known.type:  # of a feature in two recipes
                fields[field.name] = known.with_type(pa.string())
    return pa.schema([*_RUN_COLUMNS, *fields.values()])


def pool_particles(samples: Iterable[Sample], schema: pa.Schema, chunk: ChunkWriter) -> Iterator[Sample]:
    """Yield samples as they come, and keep their particles as a fragment of the pooled table."""
    stream = BytesIO()
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for sample in samples:
            writer.write_table(_read_particles(sample, schema))
            yield sample
    chunk.append(DOCUMENT, stream.getvalue())


def write_particles(path: Path, schema: pa.Schema, fragments: Iterable[bytes]) -> None:
    """Write all fragments as one file, a row group for each: the writer keeps an entry for every row group."""
    with path.open("wb") as stream, pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for fragment in fragments:
            writer.write_table(pq.read_table(BytesIO(fragment)))


def _read_particles(sample: Sample, schema: pa.Schema) -> pa.Table:
    """Return the particles of a run with the columns of the schema; runs of earlier releases may lack some."""
    table = pq.read_table(BytesIO(sample.read(PARTICLES)))
    rows = table.num_rows
    values = {"run": sample.run.number, "key": sample.run.key, "split": sample.run.split}
    columns = [
        pa.repeat(pa.scalar(values[field.name], field.type), rows)
        if field.name in values
        else table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
