"""Shards that no live attempt needs, or only a small part of: the first go, the others are packed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.documents import layout
from synth_dataset.documents.shard_index import BLOCK
from synth_dataset.store.packing import SHARD_BYTES, take_packed_run, write_shard
from synth_dataset.store.sorted_keys import match_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from synth_dataset.store.base import StorageUsage, Store
    from synth_dataset.store.packing import RunToPack

MIN_LIVE_SHARE: Final = 0.5
"""Of the bytes of a shard's runs, below which it is packed again."""


@dataclass(frozen=True)
class ShardUse:
    """A shard of a store."""

    name: str
    first_key: str
    """One of its runs, whose sweep it is said to belong to."""
    bytes: int
    """Of its two files."""
    run_bytes: int
    """Of its runs."""
    live_bytes: int
    """Of its live runs."""
    newest: float
    """Time of the last change in seconds since the epoch."""

    @property
    def is_sparse(self) -> bool:
        """Return True if most of it is not needed."""
        return self.live_bytes < MIN_LIVE_SHARE * self.run_bytes


def measure_shards(store: Store, is_live: NDArray[np.bool_]) -> Iterator[ShardUse]:
    """Yield the shards of a store; `is_live` (N,) says which rows of its shards are needed."""
    shards = store.shards
    usages = dict(store.list_usages(layout.SHARDS))
    length, place = BLOCK * shards.rows["blocks"].astype(np.int64) + shards.rows["manifest_bytes"], shards.rows["shard"]
    of_runs, live = (np.bincount(place, each, len(shards.names)) for each in (length, np.where(is_live, length, 0)))
    _, first = np.unique(place, return_index=True)  # each shard has a row
    for number, name in enumerate(shards.names):
        files = [usages[path] for path in _list_files(name) if path in usages]
        total, newest = sum(each.bytes for each in files), max((each.newest for each in files), default=0.0)
        key = layout.format_key(shards.keys[first[number]])
        yield ShardUse(name, key, total, int(of_runs[number]), int(live[number]), newest)


def find_loose_files(store: Store) -> dict[str, StorageUsage]:
    """Return the files of shards that have no index or no whole tar file, by path."""
    whole = {path for name in store.shards.names for path in _list_files(name)}
    return {path: usage for path, usage in store.list_usages(layout.SHARDS) if path not in whole}


def find_needed_rows(store: Store, needed: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the rows of shards that runs of `needed` (M,), sorted and of type S32, are read from."""
    is_needed = match_keys(needed, store.shards.keys)[1]
    return is_needed & store.shards.is_used


def remove_shards(store: Store, names: Iterable[str]) -> None:
    """Remove shards, the index of each first."""
    store.remove_files(path for name in names for path in _list_files(name))
    store.shards.expire()


def pack_again(store: Store, names: Sequence[str], is_live: NDArray[np.bool_], shard_bytes: int = SHARD_BYTES) -> None:
    """Pack the live rows of shards together into new shards, and then remove the old ones.

    A process killed at any moment leaves each run in an old shard, in a new one, or in both. Raises as `write_shard`.
    """
    shards, chosen = store.shards, frozenset(names)
    is_chosen = np.array([name in chosen for name in shards.names], np.bool_)
    rows = np.flatnonzero(is_live & is_chosen[shards.rows["shard"]])
    runs = (take_packed_run(store, run) for run in shards.iterate_runs(rows))
    written = {write_shard(store, part) for part in _split_runs(runs, shard_bytes)}
    # One that was killed may have written one of the shards, of which the others are packed with it now.
    remove_shards(store, [name for name in names if name not in written])


def _split_runs(runs: Iterable[RunToPack], shard_bytes: int) -> Iterator[list[RunToPack]]:
    """Yield runs in parts that fill a shard; the last one may be smaller."""
    part: list[RunToPack] = []
    size = 0
    for run in runs:
        part.append(run)
        size += run.bytes
        if size >= shard_bytes:
            yield part
            part, size = [], 0
    if part:
        yield part


def _list_files(name: str) -> tuple[str, str]:
    return layout.shard_index_path(name), layout.shard_path(name)
