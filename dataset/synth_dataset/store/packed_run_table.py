"""Table of the runs in all shards of a store: sorted arrays, in which a look-up needs no request."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from synth_dataset.documents import layout
from synth_dataset.documents.shard_index import INDEX_ROW, format_content_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_COLUMNS: Final = tuple(name for name in INDEX_ROW.names or () if name != "key")
TABLE_ROW: Final = np.dtype([*((name, INDEX_ROW[name]) for name in _COLUMNS), ("shard", np.uint32)])
"""Row of an index without the key, and with the position of its shard."""


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
        one = self.rows[row]
        return PackedRun(
            layout.shard_path(self.names[one["shard"]]),
            layout.format_key(self.keys[row]),
            format_content_id(int(one["c8"])),
            *(int(one[name]) for name in ("offset", "length", "manifest_offset", "manifest_bytes")),
        )


def find_first(keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the first of equal keys; they are sorted."""
    is_first = np.ones(len(keys), np.bool_)
    is_first[1:] = keys[1:] != keys[:-1]
    return is_first


def merge_indexes(
    known: PackedRunTable, new: dict[str, NDArray[np.void]], names: tuple[str, ...]
) -> tuple[NDArray[np.bytes_], NDArray[np.void]]:
    """Return keys and rows of the shards `names`, known or new, sorted by key and then by name.

    Takes the indexes out of `new` one by one: memory holds the runs twice at most.
    """
    places = {name: place for place, name in enumerate(names)}
    moved = np.array([places.get(name, -1) for name in known.names], np.int64)[known.rows["shard"]]
    is_kept = moved >= 0
    start = int(is_kept.sum())
    size = start + sum(len(index) for name, index in new.items() if name in places)
    keys, rows = np.empty(size, known.keys.dtype), np.empty(size, TABLE_ROW)
    keys[:start], rows[:start] = known.keys[is_kept], known.rows[is_kept]
    rows["shard"][:start] = moved[is_kept]
    for name in [name for name in new if name in places]:
        index = new.pop(name)
        part = slice(start, start + len(index))
        keys[part] = index["key"]
        for column in _COLUMNS:
            rows[column][part] = index[column]
        rows["shard"][part] = places[name]
        start += len(index)
    order = np.lexsort((rows["shard"], keys))
    keys = keys[order]
    return keys, rows[order]
