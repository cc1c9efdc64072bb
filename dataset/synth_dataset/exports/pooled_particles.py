"""`particles.parquet` at the top of an export: the particles of all its runs, with run, key and split before them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from synth_dataset.documents.layout import PARTICLES, run_path
from synth_dataset.documents.particle_table import COLUMNS, fit_columns, join_columns, list_fields, parse_table
from synth_dataset.views.pooled_table import RUN_COLUMNS, PooledTable, RunRows, open_table_writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from synth_dataset.attempts.dataset_source import DatasetSource
    from synth_dataset.exports.chunks import ChunkWriter
    from synth_dataset.exports.sample import Sample

DOCUMENT: Final = "particles"


def list_particle_columns(sources: Iterable[DatasetSource]) -> pa.Schema:
    """Return the columns of the particle tables of all runs of some datasets. Raises DocumentError."""
    return reduce(join_columns, map(_find_columns, sources), pa.schema(list_fields(COLUMNS)))


def build_schema(sources: Iterable[DatasetSource]) -> pa.Schema:
    """Return the columns of the pooled table. Raises DocumentError."""
    return pa.schema([*RUN_COLUMNS, *list_particle_columns(sources)])


def _find_columns(source: DatasetSource) -> pa.Schema:
    """Return the columns of a dataset's own pooled table, or of its first run in one of a release without that."""
    if PARTICLES in source.dataset.file_names:
        names = {field.name for field in RUN_COLUMNS}
        return pa.schema(field for field in source.open_table(PARTICLES).schema_arrow if field.name not in names)
    row = next(source.iterate_rows(("key",)), None)
    if row is None:
        return pa.schema([])
    manifest = source.read_manifest(row["key"])
    return parse_table(source.store.read(f"{run_path(manifest.key, manifest.c8)}/{PARTICLES}")).schema


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
