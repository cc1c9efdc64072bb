"""Table of the runs in all shards of a store: sorted arrays, in which a look-up needs no request."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from synth_dataset.documents import layout
from synth_dataset.documents.shard_index import BLOCK, INDEX_ROW, format_content_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

TABLE_ROW: Final = np.dtype(
    [
        ("shard", np.uint32),
        ("c8", np.uint32),
        ("block", np.uint32),
        ("blocks", np.uint32),
        ("manifest_block", np.uint32),
        ("manifest_bytes", np.int32),
    ]
)
"""Position of a shard, and a row of its index without the key: `block`, `blocks` and `manifest_block` are its `offset`,
`length` and `manifest_offset` in blocks."""
_BLOCKS: Final = {"block": "offset", "blocks": "length", "manifest_block": "manifest_offset"}
"""Columns in blocks, with their columns of an index."""
_MIN_ROWS: Final = 16_384
"""Rows from which the memory of an array goes back to the system."""


class Extent(NamedTuple):
    """Bytes of a tar file."""

    tar: str
    start: int
    size: int


class PackedRun(NamedTuple):
    """A run in a shard; offsets and sizes in bytes of its tar file, as INDEX_ROW has them."""

    tar: str
    key: str
    c8: str
    offset: int
    length: int
    manifest_offset: int
    manifest_bytes: int

    @property
    def manifest(self) -> Extent:
        """Where its manifest is."""
        return Extent(self.tar, self.manifest_offset, self.manifest_bytes)


@dataclass(frozen=True)
class PackedRunTable:
    """All runs of some shards, sorted by key and then by the name of the shard."""

    tar_bytes: Mapping[str, int] = field(default_factory=dict)
    """Size of the tar file of each shard, by name, sorted."""
    keys: NDArray[np.bytes_] = field(default_factory=lambda: np.empty(0, INDEX_ROW["key"]))
    """In an array of their own, which a look-up does not copy."""
    rows: NDArray[np.void] = field(default_factory=lambda: np.empty(0, TABLE_ROW))
    is_plain: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    """Rows whose run has a manifest of its own, which goes before the shard."""
    broken: tuple[str, ...] = ()
    """Indexes of shards whose tar file is missing or of another size."""
    time: int = 0
    """Time of the folder of shards before it was listed."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the shards, sorted."""
        return tuple(self.tar_bytes)

    def find(self, key: bytes) -> int | None:
        """Return the first row of a run; None without one."""
        if not len(self.keys):
            return None
        wanted = np.array(key, self.keys.dtype)
        at = int(np.searchsorted(self.keys, wanted))
        return at if at < len(self.keys) and self.keys[at] == wanted else None

    def get_run(self, row: int) -> PackedRun:
        """Return the run of a row."""
        shard, c8, block, blocks, manifest_block, manifest_bytes = self.rows[row].item()
        return PackedRun(
            layout.shard_path(self.names[shard]),
            layout.format_key(self.keys[row]),
            format_content_id(c8),
            block * BLOCK,
            blocks * BLOCK,
            manifest_block * BLOCK,
            manifest_bytes,
        )


def find_first(keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the first of equal keys; they are sorted."""
    is_first = np.ones(len(keys), np.bool_)
    is_first[1:] = keys[1:] != keys[:-1]
    return is_first


class RunCollector:
    """Runs of a table and of more shards, in arrays that grow.

    Thousands of small arrays, as the indexes are, would leave their memory to the process.
    """

    def __init__(self, known: PackedRunTable, names: Collection[str]) -> None:
        """Take those runs of a table that are in the shards `names`."""
        self.tar_bytes = {name: size for name, size in known.tar_bytes.items() if name in names}
        """Size of the tar file of each shard, by name."""
        self._keys, self._rows = known.keys, known.rows
        if len(self.tar_bytes) < len(known.tar_bytes):
            is_kept = np.array([name in names for name in known.names], np.bool_)
            chosen = is_kept[known.rows["shard"]]
            self._keys, self._rows = known.keys[chosen], known.rows[chosen]
            self._rows["shard"] = (np.cumsum(is_kept) - 1)[self._rows["shard"]]
        self._size, self._is_sorted = len(self._keys), True

    def add(self, name: str, tar_bytes: int, index: NDArray[np.void]) -> None:
        """Add the runs of a shard by the size of its tar file and its index (N,) of INDEX_ROW."""
        start, self._size = self._size, self._size + len(index)
        if self._size > len(self._keys):
            size = max(2 * len(self._keys), self._size, _MIN_ROWS)
            self._keys, self._rows = _enlarge(self._keys, size), _enlarge(self._rows, size)
        self._keys[start : self._size] = index["key"]
        rows = self._rows[start : self._size]
        rows["shard"], rows["c8"], rows["manifest_bytes"] = len(self.tar_bytes), index["c8"], index["manifest_bytes"]
        for blocks, offset in _BLOCKS.items():
            rows[blocks] = index[offset] // BLOCK
        self.tar_bytes[name] = tar_bytes
        self._is_sorted = False

    def build_table(self) -> PackedRunTable:
        """Return the table of all runs; none of them has a manifest of its own. Call it once, at the end.

        Memory holds keys and rows twice, one after the other.
        """
        self._keys, self._rows = self._keys[: self._size], self._rows[: self._size]
        names = sorted(self.tar_bytes)
        if not self._is_sorted:
            places = {name: place for place, name in enumerate(names)}
            self._rows["shard"] = np.array([places[name] for name in self.tar_bytes], np.uint32)[self._rows["shard"]]
            order = np.lexsort((self._rows["shard"], self._keys))
            self._keys = self._keys[order]
            self._rows = self._rows[order]
        return PackedRunTable({name: self.tar_bytes[name] for name in names}, self._keys, self._rows)


def _enlarge(array: NDArray[Any], size: int) -> NDArray[Any]:
    larger = np.empty(size, array.dtype)
    larger[: len(array)] = array
    return larger
