"""`particles.parquet` of a dataset: the rows of all its runs, each with run, key and split."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.layout import PARTICLES
from synth_dataset.documents.particle_table import COLUMNS, fit_columns, join_columns, list_fields, parse_table
from synth_dataset.documents.remedies import REMOVE_FILE
from synth_dataset.memory import release_memory
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from synth_dataset.views.dataset_run import DatasetRun

RUN_COLUMNS: Final = (
    pa.field("run", pa.int64(), metadata={"meaning": "number of the run"}),
    pa.field("key", pa.string(), metadata={"meaning": "run key"}),
    pa.field("split", pa.string(), metadata={"meaning": "split of the run"}),
)
"""Columns before those of the runs' tables."""
MAX_ROWS: Final = 65_536
"""Rows of a row group, unless one run has more. Memory holds 80 kB of the footer for each row group of 72 columns, in
the writer and in each reader: of a million runs of `sem_broad` 27 MB, and three times as much with a third as many
rows."""
MAX_TABLES: Final = 4_096
"""Runs of a row group."""
_JOINED_TABLES: Final = 8
"""Tables that are joined at once: buffers and schemas of small tables take several times the memory of their values."""
CHUNK_RUNS: Final = 8
"""Runs whose tables a thread parses and joins at once, fewer if their tables are long."""
CHUNK_ROWS: Final = 1_024
_PARSING_THREADS: Final = 3
"""Each waits at times for Python's lock, which the rest of a commit holds: on two processors 2, 3 and 4 threads take
0.98, 0.80 and 0.83 ms a run."""


RunCells = tuple[int, str, str | None]
"""What a run has in RUN_COLUMNS."""


class RunRows(NamedTuple):
    """Particles of some runs, in their order; `counts` are the rows of each."""

    runs: tuple[RunCells, ...]
    counts: tuple[int, ...]
    table: pa.Table


class PooledTable:
    """Writer of the pooled table of a dataset in row groups; memory holds one of them.

    The columns are those of all runs: tables of earlier releases, and of runs with other prototypes, have others. A run
    that brings a column begins another part of the file, and parts are joined at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        """Folder of the parts, which are removed."""
        self._columns = pa.schema(list_fields(COLUMNS))
        self._parts: list[Path] = []
        self._runs: list[RunCells] = []
        self._counts: list[int] = []
        """Rows of each of the runs."""
        self._tables: list[pa.Table] = []
        self._joined: list[pa.Table] = []
        self._rows = 0
        self._open_files = ExitStack()
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: RunRows) -> None:
        """Add the particles of runs. Raises OSError on a full disk."""
        table = self._fit(rows.table)
        first = end = 0
        for run, count in zip(rows.runs, rows.counts, strict=True):
            self._runs.append(run)
            self._counts.append(count)
            self._rows += count
            end += count
            if self._rows >= MAX_ROWS or len(self._runs) >= MAX_TABLES:
                self._tables.append(table.slice(first, end - first))
                self._write_rows()
                first = end
        if first < end:
            self._tables.append(table.slice(first))
        if len(self._tables) >= _JOINED_TABLES:
            self._join_tables()

    def _fit(self, table: pa.Table) -> pa.Table:
        """Return the table with the columns of the part, which is another one if they are new to it."""
        if table.schema.equals(self._columns):
            return table
        joined = join_columns(self._columns, table.schema)
        if not joined.equals(self._columns):
            self._close_part()
            self._columns = joined
        return fit_columns(table, joined)

    def write(self, path: Path) -> None:
        """Write the file. Raises OSError on a full disk."""
        if not self._parts:
            self._write_rows()
        self._close_part()
        if len(self._parts) == 1:
            self._parts[0].rename(path)
            return
        with pa.OSFile(str(path), "wb") as stream, open_table_writer(stream, self._schema) as writer:
            for part in self._parts:
                for table in _iterate_row_groups(part):
                    writer.write_table(fit_columns(table, self._schema))
                part.unlink()

    @property
    def _schema(self) -> pa.Schema:
        return pa.schema([*RUN_COLUMNS, *self._columns])

    def _write_rows(self) -> None:
        if self._writer is None:
            self._parts.append(self._folder / f"particles.{len(self._parts)}")
            stream = self._open_files.enter_context(pa.OSFile(str(self._parts[-1]), "wb"))
            self._writer = self._open_files.enter_context(open_table_writer(stream, self._schema))
        if self._runs:
            self._join_tables()
            self._writer.write_table(self._build_row_group())
        self._runs, self._counts, self._joined, self._rows = [], [], [], 0
        release_memory()

    def _join_tables(self) -> None:
        if self._tables:
            self._joined.append(pa.concat_tables(self._tables).combine_chunks())
        self._tables = []

    def _build_row_group(self) -> pa.Table:
        rows = pa.array(np.repeat(np.arange(len(self._runs)), self._counts))
        cells = zip(zip(*self._runs, strict=True), RUN_COLUMNS, strict=True)
        repeated = [pa.array(values, field.type).take(rows) for values, field in cells]
        particles = pa.concat_tables([self._columns.empty_table(), *self._joined])
        return pa.Table.from_arrays([*repeated, *particles.columns], schema=self._schema)

    def _close_part(self) -> None:
        if self._runs:
            self._write_rows()
        self._open_files.close()
        self._writer = None


def pool_runs(
    pooled: PooledTable,
    runs: Iterable[DatasetRun],
    requests: int,
    find_table: Callable[[DatasetRun], pa.Table | None] = lambda _: None,
) -> Iterator[DatasetRun]:
    """Yield the runs, each after its table is added; files are read ahead by `requests` threads.

    A run for which `find_table` returns None has its own file read; threads call it.
    Raises FileNotFoundError for a missing table, DocumentError for one that is not Parquet, OSError on a full disk.
    """
    files = read_ahead(partial(_read_tables, find_table), _group_runs(runs), requests)
    for chunk, tables in read_ahead(_parse_tables, files, _PARSING_THREADS):
        for rows in tables:
            pooled.add(rows)
        yield from chunk


def _group_runs(runs: Iterable[DatasetRun]) -> Iterator[list[DatasetRun]]:
    chunk: list[DatasetRun] = []
    for run in runs:
        chunk.append(run)
        if len(chunk) >= CHUNK_RUNS or sum(run.manifest.particles for run in chunk) >= CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _read_tables(
    find_table: Callable[[DatasetRun], pa.Table | None], runs: list[DatasetRun]
) -> list[tuple[DatasetRun, pa.Table | bytes | None]]:
    """Return each run's table, or else the content of its file; None for a run that was committed without one."""
    tables = [(run, find_table(run)) for run in runs]
    return [(run, _read_file(run) if table is None else table) for run, table in tables]


def _read_file(run: DatasetRun) -> bytes | None:
    return run.read(PARTICLES) if any(file.path == PARTICLES for file in run.manifest.files) else None


def _parse_tables(files: list[tuple[DatasetRun, pa.Table | bytes | None]]) -> tuple[list[DatasetRun], list[RunRows]]:
    """Return the runs, and the rows of those with a table; neighbours with the same columns are joined."""
    parsed = [
        (run, _parse_table(run, content) if isinstance(content, bytes) else content)
        for run, content in files
        if content is not None
    ]
    same = (list(each) for _, each in groupby(parsed, key=lambda one: one[1].schema))
    return [run for run, _ in files], list(map(_join_rows, same))


def _join_rows(parsed: list[tuple[DatasetRun, pa.Table]]) -> RunRows:
    cells = tuple((run.number, run.manifest.key, run.split) for run, _ in parsed)
    tables = [table for _, table in parsed]
    return RunRows(cells, tuple(map(len, tables)), pa.concat_tables(tables).combine_chunks())


def _parse_table(run: DatasetRun, content: bytes) -> pa.Table:
    try:
        return parse_table(content)
    except pa.ArrowInvalid as error:
        file = run.store.format_uri(f"{run.folder}/{PARTICLES}")
        raise DocumentError(f"{file}: is not Parquet; {REMOVE_FILE}") from error


def open_table_writer(stream: pa.NativeFile, schema: pa.Schema) -> pq.ParquetWriter:
    """Return the writer of the pooled table.

    Dictionaries are for text alone, and there are statistics of the runs alone: more of either makes the file larger,
    and the writer holds the statistics of all row groups to its end.
    """
    text = [field.name for field in schema if pa.types.is_string(field.type)]
    return pq.ParquetWriter(
        stream, schema, compression="zstd", use_dictionary=text, write_statistics=[RUN_COLUMNS[0].name]
    )


def _iterate_row_groups(path: Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(path), "rb") as stream:
        file = pq.ParquetFile(stream)
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)
