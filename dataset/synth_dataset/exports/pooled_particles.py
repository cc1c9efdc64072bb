"""`particles.parquet` at the top of an export: the particles of all its runs, with run, key and split before them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from synth_dataset.documents.layout import PARTICLES
from synth_dataset.documents.particle_table import COLUMNS, fit_columns, join_columns, list_fields, parse_table
from synth_dataset.views.pooled_table import RUN_COLUMNS, PooledTable, RunRows, open_table_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.sample import Sample

DOCUMENT: Final = "particles"


def build_schema(samples: Iterable[Sample]) -> pa.Schema:
    """Return the columns of the pooled table: those of a run of each dataset. Without runs it has no features."""
    tables = (sample.read_table().schema for sample in samples)
    return pa.schema([*RUN_COLUMNS, *reduce(join_columns, tables, pa.schema(list_fields(COLUMNS)))])


@contextmanager
def pool_particles(samples: Iterable[Sample], chunk: ChunkWriter) -> Iterator[Iterator[Sample]]:
    """Yield samples as they come; keep the particles of those that were taken as a fragment of the pooled table."""
    with chunk.target.store.open_scratch("particles") as folder:
        pooled = PooledTable(folder)
        yield _add_particles(samples, pooled)
        pooled.write(folder / PARTICLES)
        chunk.append(DOCUMENT, (folder / PARTICLES).read_bytes())


def _add_particles(samples: Iterable[Sample], pooled: PooledTable) -> Iterator[Sample]:
    for sample in samples:
        run, table = sample.run, sample.read_table()
        pooled.add(RunRows(((run.number, run.key, run.split),), (len(table),), table))
        yield sample


def write_particles(path: Path, schema: pa.Schema, fragments: Iterable[bytes]) -> None:
    """Write all fragments as one file, at least a row group for each; runs of earlier releases may lack columns."""
    with pa.OSFile(str(path), "wb") as stream, open_table_writer(stream, schema) as writer:
        for fragment in fragments:
            writer.write_table(fit_columns(parse_table(fragment), schema))
