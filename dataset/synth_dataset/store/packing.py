"""Packing of runs into shards: the tar file first, then its index, and last the removal of what was packed."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.run_manifest import parse_manifest
from synth_dataset.documents.shard_index import (
    END,
    build_header,
    build_index,
    encode_index,
    measure_members,
    name_shard,
    pad,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store
    from synth_dataset.store.packed_run_table import PackedRun

SHARD_BYTES: Final = 256_000_000
"""Bytes of runs from which a shard is closed."""
_BLOCK: Final = 8 << 20


class ChangedFileError(OSError):
    """A file of a run has changed while it was packed."""


@dataclass(frozen=True)
class RunToPack:
    """A run as a shard takes it."""

    key: str
    c8: str
    manifest: bytes
    length: int
    """Bytes of the members of its files."""
    read_members: Callable[[], Iterator[bytes]]
    """Yields these bytes in parts."""

    @property
    def bytes(self) -> int:
        """Bytes of the run in a tar file, without the header of its manifest."""
        return self.length + len(self.manifest)


def take_plain_run(store: Store, key: str) -> RunToPack | None:
    """Return a run that has files; None for one that has lost some, or whose manifest cannot be read."""
    path = layout.manifest_path(key)
    try:
        content = store.read(path)
        manifest = parse_manifest(content, store.format_uri(path))
    except (FileNotFoundError, DocumentError):
        return None
    if store.find_fault(manifest) is not None:
        return None
    return RunToPack(key, manifest.c8, content, measure_members(manifest), partial(_read_members, store, manifest))


def take_packed_run(store: Store, run: PackedRun) -> RunToPack:
    """Return a run of another shard. Raises FileNotFoundError without its tar file."""
    manifest = store.read_part(*run.manifest)
    return RunToPack(
        run.key, run.c8, manifest, run.length, lambda: _read_blocks(store, run.tar, run.offset, run.length)
    )


def write_shard(store: Store, runs: Iterable[RunToPack]) -> str:
    """Write runs as a shard and return its name; they exist in the store from then on.

    Raises ChangedFileError, with no index written, for a file of another size than its manifest says, or a tar file
    that was cut; StoreError, StoreFullError, OSError.
    """
    ordered = sorted(runs, key=lambda run: run.key)
    name = name_shard(run.manifest for run in ordered)
    index = build_index((run.key, run.c8, run.length, len(run.manifest)) for run in ordered)
    store.write(layout.shard_path(name), _build_tar(ordered))
    store.write(layout.shard_index_path(name), encode_index(index))
    store.shards.expire()
    return name


def pack_runs(source: Store, target: Store, keys: Iterable[str]) -> None:
    """Move runs, which `source` has as files, into a shard of `target`, which may be the same store.

    First their recipes, then tar file and index, and last the files go: a process killed before that leaves runs as
    files, and one killed while it removes them leaves garbage. A run stays as it is if it has lost files, or if a shard
    of the same store has it with another manifest, before which the files go. Raises as `write_shard`.
    """
    if target is not source:
        for path in source.iterate_files(layout.RECIPES):
            target.write(path, source.read(path))
    wanted = list(dict.fromkeys(keys))
    for is_last in (False, False, True):
        try:
            packed = _write_runs(source, target, wanted)
            break
        except (FileNotFoundError, ChangedFileError):  # another process has packed one, or rendered it again
            if is_last:
                raise
            target.shards.expire()
    remove_files(source, packed)


def _write_runs(source: Store, target: Store, keys: Iterable[str]) -> list[RunToPack]:
    """Write those runs as a shard that are not packed yet; return the runs that are in a shard as they are as files."""
    runs = [run for key in keys if (run := take_plain_run(source, key)) is not None]
    packed = {run.key: read_packed_manifest(target, run.key) for run in runs} if target is source else {}
    new = [run for run in runs if packed.get(run.key) is None]
    if new:
        write_shard(target, new)
    return [run for run in runs if packed.get(run.key) in (None, run.manifest)]


def read_packed_manifest(store: Store, key: str) -> bytes | None:
    """Return the manifest of a run in a shard, also of one that has files too; None without one."""
    run = store.shards.find_any(key)
    return None if run is None else store.read_part(*run.manifest)


def remove_files(store: Store, runs: Sequence[RunToPack]) -> None:
    """Remove the manifests and files of runs; manifests first, so that a run without files never seems to exist."""
    store.remove_files(layout.manifest_path(run.key) for run in runs)
    for run in runs:
        store.remove_folder(layout.files_path(run.key))
    store.shards.expire()


def _build_tar(runs: Sequence[RunToPack]) -> Iterator[bytes]:
    for run in runs:
        size = 0
        for part in run.read_members():
            size += len(part)
            yield part
        if size != run.length:
            raise ChangedFileError(f"run {run.key}: its files have {size:,} bytes in a tar file, not {run.length:,}")
    for run in runs:
        yield from _build_member(layout.manifest_path(run.key), run.manifest)
    yield END


def _build_member(path: str, content: bytes) -> Iterator[bytes]:
    yield build_header(path, len(content))
    yield content
    yield bytes(pad(len(content)) - len(content))


def _read_members(store: Store, manifest: Manifest) -> Iterator[bytes]:
    folder = layout.run_path(manifest.key, manifest.c8)
    for file in manifest.files:
        path = f"{folder}/{file.path}"
        yield build_header(path, file.bytes)
        size = 0
        for block in _read_blocks(store, path, 0, file.bytes + 1):
            size += len(block)
            yield block
        if size != file.bytes:
            raise ChangedFileError(f"{store.format_uri(path)}: has {size} bytes instead of {file.bytes}")
        yield bytes(pad(size) - size)


def _read_blocks(store: Store, path: str, start: int, length: int) -> Iterator[bytes]:
    end = start + length
    while start < end:
        wanted = min(_BLOCK, end - start)
        block = store.read_part(path, start, wanted)
        yield block
        if len(block) < wanted:
            return
        start += wanted


class Packer:
    """Packs the runs that workers commit to a local store once they fill a shard, or one has waited long enough."""

    def __init__(
        self, source: Store, target: Store, shard_bytes: int = SHARD_BYTES, max_wait_seconds: float = math.inf
    ) -> None:
        self.source = source
        self._target = target
        self._shard_bytes = shard_bytes
        self._max_wait_seconds = max_wait_seconds
        self._keys: list[str] = []
        self._bytes = 0
        self._first_added = 0.0

    @property
    def is_due(self) -> bool:
        """True if the runs that wait fill a shard, or the first of them has waited for the longest time."""
        has_waited = bool(self._keys) and time.monotonic() - self._first_added >= self._max_wait_seconds
        return has_waited or self._bytes >= self._shard_bytes

    def add(self, key: str, size: int) -> None:
        """Have a run wait, of so many bytes."""
        if not self._keys:
            self._first_added = time.monotonic()
        self._keys.append(key)
        self._bytes += size

    def pack(self) -> None:
        """Pack the runs that wait. Raises as `pack_runs`; they wait on then."""
        if self._keys:
            pack_runs(self.source, self._target, self._keys)
            self._keys, self._bytes = [], 0
