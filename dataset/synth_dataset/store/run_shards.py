"""The shards of a store: which runs are packed, and where their files are. Look-ups need no request."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import numpy as np

from synth_dataset.documents import layout
from synth_dataset.documents.shard_index import BLOCK, compute_tar_bytes, parse_index
from synth_dataset.store.packed_manifests import CollectedManifests, PackedManifest
from synth_dataset.store.packed_run_table import PackedRunTable, RunCollector, find_first
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.store.sorted_keys import mark_keys, match_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_dataset.store.packed_run_table import Extent, PackedRun

T = TypeVar("T")

_FOLDER_LENGTH: Final = len(layout.run_path("0" * 2 * layout.KEY_BYTES, "0" * 8))
"""Length of the path of a folder of a run."""
_MANIFESTS_PER_REQUEST: Final = 32
"""Manifests that are kept to find the files of their runs, 7 kB each, for each request that the store may make at once:
a commit reads 18 runs ahead for each."""


class Files(Protocol):
    """What shards need of their store."""

    @property
    def max_requests(self) -> int:
        """Number of threads for reading many files."""

    def list_sizes(self, path: str, /) -> dict[str, int]:
        """Return the size in bytes of each file below a folder, by path relative to the folder."""

    def read(self, path: str, /) -> bytes:
        """Return the content of a file. Raises FileNotFoundError."""

    def read_part(self, path: str, start: int, length: int, /) -> bytes:
        """Return `length` bytes of a file from `start`. Raises FileNotFoundError."""

    def read_size(self, path: str, /) -> int:
        """Return the size of a file in bytes. Raises FileNotFoundError."""

    def read_shards_time(self) -> int:
        """Return when shards were last written or removed, as far as it is cheap."""

    def format_uri(self, path: str, /) -> str:
        """Return the address of a file."""

    def iterate_plain_keys(self) -> Iterator[str]:
        """Yield the keys of all runs that have manifests of their own."""


class Shards:
    """The shards of a store, as the last `refresh` has found them; the first look-up calls it.

    Memory: 57 bytes per packed run. A run with a manifest of its own is not in a shard as far as these methods go, so
    a run that was rendered again replaces the packed one. Methods may be called by several threads, and raise
    StoreError, and DocumentError for an index that cannot be read.
    """

    def __init__(self, store: Files) -> None:
        self._store = store
        self._lock = Lock()
        self._loaded = PackedRunTable()
        self._is_current = False
        self._collected: CollectedManifests | None = None
        kept = _MANIFESTS_PER_REQUEST * store.max_requests
        self._read_manifest = lru_cache(kept)(self._load_manifest)
        self._find = lru_cache(kept)(self._find_run)
        self._list_files = lru_cache(kept)(self._locate_files)

    def refresh(self) -> None:
        """Look which shards there are, read the indexes of new ones, and look which runs have files of their own."""
        self.expire()
        _ = self._table

    def expire(self) -> None:
        """Have the next look-up refresh: this process has written or removed shards, or manifests of packed runs."""
        self._is_current = False
        self._forget()

    def refresh_after_change(self) -> bool:
        """Refresh if another process has packed runs in a folder since the last look; return True then."""
        is_changed = self._store.read_shards_time() != self._table.time
        if is_changed:
            self.refresh()
        return is_changed

    def hide(self, key: str) -> None:
        """Leave a run out, which has a manifest of its own from now on."""
        wanted = np.array(bytes.fromhex(key), self._loaded.keys.dtype)
        start, end = (np.searchsorted(self._loaded.keys, wanted, side) for side in ("left", "right"))
        self._loaded.is_plain[start:end] = True
        self._forget()

    def _forget(self) -> None:
        """Forget the answers about single runs."""
        self._find.cache_clear()
        self._list_files.cache_clear()

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the shards whose tar file is missing or of another size; their runs do not exist."""
        return self._table.broken

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the shards, sorted."""
        return self._table.names

    @property
    def keys(self) -> NDArray[np.bytes_]:
        """The keys (N,) of all runs of all shards, of type S32, sorted; a run may be in several shards."""
        return self._table.keys

    @property
    def rows(self) -> NDArray[np.void]:
        """The rows (N,) of TABLE_ROW that belong to `keys`; `shard` is a position in `names`."""
        return self._table.rows

    @property
    def is_used(self) -> NDArray[np.bool_]:
        """Mask (N,) of the rows from which runs are read: neither a manifest nor an earlier row goes before them."""
        table = self._table
        return find_first(table.keys) & ~table.is_plain

    def contains(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return a mask (N,) of the packed runs among `keys` (N,), of type S32."""
        table = self._table
        places, is_there = match_keys(table.keys, keys)
        found = np.zeros(len(keys), np.bool_)
        found[is_there] = ~table.is_plain[places]
        return found

    def iterate_keys(self) -> Iterator[str]:
        """Yield the keys of all packed runs, sorted."""
        yield from (layout.format_key(key) for key in self._table.keys[self.is_used])

    def find(self, key: str) -> PackedRun | None:
        """Return a packed run; None if no shard has it, or it has a manifest of its own."""
        return self._find(key)

    def _find_run(self, key: str) -> PackedRun | None:
        table = self._table
        row = table.find(bytes.fromhex(key))
        return None if row is None or table.is_plain[row] else table.get_run(row)

    def iterate_runs(self, rows: NDArray[np.intp]) -> Iterator[PackedRun]:
        """Return the runs of rows (M,) of `rows` as it is now: shards that are written meanwhile change the rows."""
        return map(self._table.get_run, rows.tolist())

    def find_any(self, key: str) -> PackedRun | None:
        """Return a run of a shard, also one that has a manifest of its own."""
        row = self._table.find(bytes.fromhex(key))
        return None if row is None else self._table.get_run(row)

    def read(self, path: str, start: int = 0, length: int | None = None) -> bytes | None:
        """Return a packed manifest or file by its path in the store, or a part of it; None if it is not packed."""
        return self._ask(lambda: self._read(path, start, length)) if self._has_runs else None

    def locate(self, path: str) -> Extent | None:
        """Return where a packed manifest or file of a run is, by its path in the store; None if it is not packed."""
        return self._ask(lambda: self._locate(path)) if self._has_runs else None

    def list_files(self, folder: str) -> Mapping[str, Extent]:
        """Return the files of a packed run by path relative to its folder; none of another folder."""
        return self._ask(lambda: self._list_files(folder)) if self._has_runs else {}

    @property
    def _has_runs(self) -> bool:
        return len(self._table.keys) > 0

    def _ask(self, question: Callable[[], T]) -> T:
        """Return an answer; ask again after a look at the shards if a tar file has gone, whose runs others may have."""
        try:
            return question()
        except FileNotFoundError:
            self.refresh()
            return question()

    def _read(self, path: str, start: int, length: int | None) -> bytes | None:
        if path.startswith(f"{layout.MANIFESTS}/"):
            run = self._find_manifest(path)
            end = None if length is None else start + length
            return None if run is None else self._read_manifest(run).content[start:end]
        extent = self._locate(path)
        if extent is None:
            return None
        size = max(0, extent.size - start)
        return self._store.read_part(extent.tar, extent.start + start, size if length is None else min(length, size))

    def _locate(self, path: str) -> Extent | None:
        if path.startswith(f"{layout.MANIFESTS}/"):
            run = self._find_manifest(path)
            return None if run is None else run.manifest
        folder, file = path[:_FOLDER_LENGTH], path[_FOLDER_LENGTH + 1 :]
        return self._list_files(folder).get(file)

    def _locate_files(self, folder: str) -> Mapping[str, Extent]:
        _, _, key, c8 = folder.split("/") if folder.count("/") == 3 else ("", "", "", "")
        run = self.find(key) if layout.is_key(key) else None
        if run is None or run.c8 != c8:
            return {}
        try:
            return self._read_manifest(run).files
        except (ValueError, KeyError, TypeError):
            return {}  # whoever reads the manifest says what is wrong with it

    def _find_manifest(self, path: str) -> PackedRun | None:
        key = path.rpartition("/")[2].removesuffix(".json")
        return self.find(key) if layout.is_key(key) and path == layout.manifest_path(key) else None

    @property
    def _table(self) -> PackedRunTable:
        if not self._is_current:
            with self._lock:
                if not self._is_current:
                    self._loaded = self._look(self._loaded)
                    self._is_current = True
        return self._loaded

    def _look(self, known: PackedRunTable) -> PackedRunTable:
        time = self._store.read_shards_time()
        sizes = self._store.list_sizes(layout.SHARDS)
        names = layout.list_shards(sizes)
        same = known.tar_bytes.keys() & names
        there = {name for name in same if self._has_tar(name, known.tar_bytes[name], sizes)}
        collector, broken = RunCollector(known, there), same - there
        unknown = [name for name in names if name not in same]
        for name, index in zip(unknown, read_ahead(self._read_index, unknown, self._store.max_requests), strict=True):
            if index is None:
                continue
            expected = compute_tar_bytes(index)
            if self._has_tar(name, expected, sizes):
                collector.add(name, expected, index)
            else:
                broken.add(name)
        table = collector.build_table()
        return replace(table, is_plain=self._find_plain(table.keys), broken=tuple(sorted(broken)), time=time)

    @contextmanager
    def collect_manifests(self, folder: Path) -> Iterator[None]:
        """Read all manifests of a shard together within the block, with one request, into a file of a local folder.

        Whoever reads the manifests of many runs in the order of a sweep needs each shard all the time. Disk: the
        manifests, 5 kB a run; memory: those of one shard.
        """
        self._collected = CollectedManifests(folder)
        try:
            yield
        finally:
            self._collected = None

    def _load_manifest(self, run: PackedRun) -> PackedManifest:
        collected = self._collected
        if collected is None:
            return PackedManifest(run, self._store.read_part(*run.manifest))
        with collected.lock:
            if run.tar not in collected.starts:
                self._collect(collected, run.tar)
        return PackedManifest(run, collected.read(run))

    def _collect(self, collected: CollectedManifests, tar: str) -> None:
        """Copy the manifests of a shard. Raises FileNotFoundError for one that has gone since the run was found."""
        table, name = self._table, layout.parse_shard_name(tar)
        if name not in table.tar_bytes:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._store.format_uri(tar))
        start = BLOCK * int(table.rows["manifest_block"][table.rows["shard"] == table.names.index(name)].min())
        collected.write(tar, start, self._store.read_part(tar, start, table.tar_bytes[name] - start))

    def _read_index(self, name: str) -> NDArray[np.void] | None:
        """Return the index of a shard; None if it was just removed."""
        path = layout.shard_index_path(name)
        try:
            return parse_index(self._store.read(path), self._store.format_uri(path))
        except FileNotFoundError:
            return None

    def _has_tar(self, name: str, expected: int, sizes: Mapping[str, int]) -> bool:
        """Return True if a shard has its whole tar file; ask again, because a listing may be older than its index."""
        if sizes.get(f"{name}{layout.SHARD_TAR}") == expected:
            return True
        try:
            return self._store.read_size(layout.shard_path(name)) == expected
        except FileNotFoundError:
            return False

    def _find_plain(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return a mask (N,) of the runs of the sorted `keys` (N,) that have manifests of their own."""
        if not len(keys):
            return np.zeros(0, np.bool_)
        first = np.maximum.accumulate(np.where(find_first(keys), np.arange(len(keys)), 0))
        found: NDArray[np.bool_] = mark_keys(keys, self._store.iterate_plain_keys())[first]
        return found
