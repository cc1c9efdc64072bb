"""The particle tables that the batches of an attempt keep for its commit."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.particle_table import parse_table
from synth_dataset.store.batch_tables import WORD, open_batch_tables, parse_message, write_batch_tables
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.store.base import Store
    from synth_dataset.store.batch_tables import BatchTables
    from synth_dataset.views.dataset_run import DatasetRun

_log = logging.getLogger(__name__)

_READING_THREADS: Final = 4
"""Memory holds twice as many tables, which are of 36 MB in a run of 65,535 particles."""
_PLACE: Final = np.dtype([("file", "<u4"), ("c8", "<u4"), ("start", "<u4"), ("size", "<u4")])
"""Number of a file, and an entry of it whose place is in words, which take half of the memory."""


class AttemptTables:
    """Tables by run; memory is 16 bytes a run of the attempt, if its batches keep any."""

    def __init__(self, store: Store, attempt: StoredAttempt) -> None:
        self._store = store
        paths = _list_files(store, attempt)
        self._files: list[tuple[str, pa.Schema]] = []
        """Path and columns by the numbers in `_places`."""
        self._places = np.zeros(attempt.document.runs if paths else 0, _PLACE)
        for tables in read_ahead(partial(_open_tables, store), paths, store.max_requests):
            if tables is not None and np.all(tables.entries["run"].astype(np.uint64) < len(self._places)):
                self._add(tables)

    def _add(self, tables: BatchTables) -> None:
        runs = tables.entries["run"]
        self._places["file"][runs] = len(self._files)
        self._places["c8"][runs] = tables.entries["c8"]
        self._places["start"][runs] = tables.entries["offset"] // WORD
        self._places["size"][runs] = tables.entries["length"] // WORD
        # A schema of 69 columns takes 50 kB, and all batches of a sweep have the same.
        known = self._files[-1][1] if self._files else tables.schema
        self._files.append((tables.path, known if known.equals(tables.schema) else tables.schema))

    def read(self, run: DatasetRun) -> pa.Table | None:
        """Return the table of a run; None if no batch keeps that of its content. Threads may call it."""
        if not len(self._places):
            return None
        file, c8, start, size = self._places[run.number].item()
        if not size or c8 != int(run.manifest.c8, 16):
            return None
        path, columns = self._files[file]
        try:
            table = parse_message(self._store.read_part(path, start * WORD, size * WORD), columns)
        except (OSError, pa.ArrowInvalid):  # removed by another commit of the attempt, or damaged
            return None
        return table if len(table) == run.manifest.particles else None


def remove_batch_tables(store: Store, attempt: StoredAttempt) -> None:
    """Remove the files of all batches, which nothing needs after the commit."""
    store.remove_files(_list_files(store, attempt))


def _list_files(store: Store, attempt: StoredAttempt) -> list[str]:
    folder = f"{attempt.path}/{layout.BATCHES}"
    return sorted(
        f"{folder}/{child.name}" for child in store.list_children(folder) if child.name.endswith(layout.TABLES)
    )


def _open_tables(store: Store, path: str) -> BatchTables | None:
    """Return the tables of a batch; None, with a warning, for a file that cannot be read."""
    try:
        return open_batch_tables(store, path)
    except FileNotFoundError:  # another commit of the attempt has ended
        return None
    except DocumentError as error:
        _log.warning("%s; the tables of its runs are read one by one", error)
        return None


def keep_batch_tables(store: Store, path: str, runs: Iterable[tuple[int, str]]) -> None:
    """Write the file of a batch with the tables of those runs that exist, by number and key; none without any.

    Raises StoreError, OSError on a full disk.
    """
    read = partial(_read_table, store)
    with store.open_scratch("tables") as scratch:
        found = (one for one in read_ahead(read, sorted(runs), _READING_THREADS) if one is not None)
        if write_batch_tables(scratch / "tables", found):
            store.write_file(path, scratch / "tables")


def _read_table(store: Store, run: tuple[int, str]) -> tuple[int, str, pa.Table] | None:
    number, key = run
    try:
        manifest = store.read_manifest(key)
        content = store.read(f"{layout.run_path(key, manifest.c8)}/{layout.PARTICLES}")
        return number, manifest.c8, parse_table(content)
    except (KeyError, FileNotFoundError, DocumentError, pa.ArrowInvalid):  # the commit says what is wrong with it
        return None
