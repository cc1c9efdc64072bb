"""`particles.parquet` at the top of an export: the particles of all its runs, with run, key and split before them."""

from __future__ import annotations

from functools import reduce
from io import BytesIO
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from synth_dataset.documents.particle_table import COLUMNS, fit_columns, join_columns, list_fields
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
    tables = (pq.read_schema(BytesIO(sample.read(PARTICLES))) for sample in samples)
    return pa.schema([*_RUN_COLUMNS, *reduce(join_columns, tables, pa.schema(list_fields(COLUMNS)))])


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
    values = zip((sample.run.number, sample.run.key, sample.run.split), _RUN_COLUMNS, strict=True)
    for place, (value, field) in enumerate(values):
        table = table.add_column(place, field, pa.repeat(pa.scalar(value, field.type), len(table)))
    return fit_columns(table, schema)
