"""Garbage collection: stored objects that no live attempt needs and that are older than a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.attempts.live_attempts import collect_keys, contains_keys, find_attempts, find_live, list_sweeps
from synth_dataset.attempts.shard_garbage import (
    ShardUse,
    find_loose_files,
    find_needed_rows,
    measure_shards,
    pack_again,
    remove_shards,
)
from synth_dataset.attempts.unneeded_recipes import find_unneeded_recipes, read_sound_manifest
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from synth_dataset.store.base import StorageUsage, Store

MIN_AGE: Final = timedelta(days=1)
"""Younger objects are never garbage: a process may be writing them."""


@dataclass(frozen=True)
class GarbageItem:
    """File or folder that is garbage; `path` is relative to the store."""

    path: str
    bytes: int
    sweep: str = ""
    """Namespace and name of its sweep, `local/spheres_sem`; empty if it belongs to none."""


@dataclass(frozen=True)
class Garbage:
    """Garbage of a store, by kind."""

    runs: tuple[GarbageItem, ...] = ()
    """Manifests of runs that no live attempt has."""
    folders: tuple[GarbageItem, ...] = ()
    """Run folders that no manifest names, including those of `runs`."""
    shards: tuple[GarbageItem, ...] = ()
    """Shards without a run that a live attempt has, and tar files without an index, by the path of the tar file."""
    sparse_shards: tuple[GarbageItem, ...] = ()
    """Shards that are packed again, because most of their bytes belong to no such run; these are their `bytes`."""
    recipes: tuple[GarbageItem, ...] = ()
    """Stored recipes that no live attempt begins with, and no manifest names but those of `runs`."""
    attempts: tuple[GarbageItem, ...] = ()
    scratch: tuple[GarbageItem, ...] = ()

    @property
    def kinds(self) -> tuple[tuple[GarbageItem, ...], ...]:
        """Runs, folders, shards, sparse shards, recipes, attempts, scratch."""
        return (
            self.runs,
            self.folders,
            self.shards,
            self.sparse_shards,
            self.recipes,
            self.attempts,
            self.scratch,
        )

    @property
    def items(self) -> tuple[GarbageItem, ...]:
        """Garbage of all kinds together."""
        return tuple(item for kind in self.kinds for item in kind)

    @property
    def bytes(self) -> int:
        """Total size of all items."""
        return sum(item.bytes for item in self.items)

    def intersect(self, other: Garbage) -> Garbage:
        """Return the items that are in both: listed before the confirmation, and still garbage after it."""
        paths = frozenset(item.path for item in other.items)
        return Garbage(*(tuple(item for item in kind if item.path in paths) for kind in self.kinds))


def find_garbage(store: Store, older_than: timedelta = MIN_AGE, now: datetime | None = None) -> Garbage:
    """Find objects that are older than `older_than` and not needed.

    Needed are live attempts, the runs in their keys.bin, the folder that the manifest of a needed run names, the shards
    that needed runs are read from, if these are half of their bytes or more, and recipes as `find_unneeded_recipes`
    says. Of a manifest that cannot be read, all folders and all recipes are kept; a warning names it. Raises
    DocumentError for an attempt or an index of a shard that cannot be read.
    """
    limit = ((now or datetime.now(UTC)) - older_than).timestamp()
    attempts = {f"{namespace}/{name}": find_attempts(store, namespace, name) for namespace, name in list_sweeps(store)}
    needed = collect_keys(store, (path for its in attempts.values() for path in its.live))
    keys = {sweep: collect_keys(store, (*its.live, *its.dead)) for sweep, its in attempts.items()}
    runs, kept = _sort_manifests(store, needed, limit)
    folders = _find_unnamed_folders(store, kept, limit)
    store.shards.refresh()
    is_live = find_needed_rows(store, needed)
    dead_shards, sparse, is_kept = _sort_shards(store, is_live, limit)
    kept_keys = chain(kept, store.shards.keys[is_kept])
    recipes = find_unneeded_recipes(store, map(layout.format_key, kept_keys), limit, lambda: find_live(store))
    dead = ((path, sweep) for sweep, its in attempts.items() for path in its.dead)
    scratch = ((f"{layout.SCRATCH}/{child.name}", "") for child in store.list_children(layout.SCRATCH))
    return Garbage(
        runs=_name_sweeps(runs, keys),
        folders=_name_sweeps(folders, keys),
        shards=_name_shards((*dead_shards, *_find_loose_shards(store, limit)), keys),
        sparse_shards=_name_shards(sparse, keys),
        recipes=tuple(GarbageItem(path, size) for path, size in recipes),
        attempts=_select_old(store, limit, dead),
        scratch=_select_old(store, limit, scratch),
    )


def remove_garbage(store: Store, garbage: Garbage) -> None:
    """Remove garbage; manifests and indexes first, so that a run without files never seems to exist.

    Sparse shards are packed again with the runs that live attempts have by then.
    """
    store.remove_files(item.path for item in (*garbage.runs, *garbage.recipes))
    store.remove_run_folders(item.path for item in garbage.folders)
    folders = (item.path for item in (*garbage.attempts, *garbage.scratch))
    for _ in read_ahead(store.remove_folder, folders, store.max_requests):
        pass
    store.remove_files(item.path for item in garbage.scratch)
    if garbage.shards or garbage.sparse_shards:
        kinds = (garbage.shards, garbage.sparse_shards)
        _remove_shards(store, *([layout.parse_shard_name(item.path) for item in kind] for kind in kinds))


def _remove_shards(store: Store, unneeded: Sequence[str], sparse: Sequence[str]) -> None:
    """Remove shards, and pack sparse ones again.

    One that has a needed run by now stays: it has its index since, or another process has removed a copy of the run.
    """
    needed = collect_keys(store, find_live(store))
    store.shards.refresh()
    numbers = np.unique(store.shards.rows["shard"][find_needed_rows(store, needed)])
    in_use = {store.shards.names[number] for number in numbers}
    remove_shards(store, [name for name in unneeded if name not in in_use])
    store.shards.refresh()
    pack_again(store, sparse, find_needed_rows(store, needed))


def _sort_shards(
    store: Store, is_live: NDArray[np.bool_], limit: float
) -> tuple[list[ShardUse], list[ShardUse], NDArray[np.bool_]]:
    """Return the old shards without live rows, those with few, and a mask (N,) of the rows that stay."""
    old = [shard for shard in measure_shards(store, is_live) if shard.newest < limit]
    dead = [shard for shard in old if not shard.live_bytes]
    sparse = [shard for shard in old if shard.live_bytes and shard.is_sparse]
    shards = store.shards
    leaving = {shard.name for shard in (*dead, *sparse)}
    is_leaving = np.array([name in leaving for name in shards.names], np.bool_)[shards.rows["shard"]]
    is_kept = np.where(is_leaving, is_live, shards.is_used)
    return dead, sparse, is_kept


def _find_loose_shards(store: Store, limit: float) -> Iterator[ShardUse]:
    """Yield old shards that have only one of their files, or a tar file of another size than their index says."""
    loose: dict[str, StorageUsage] = {}
    for path, usage in find_loose_files(store).items():
        name = path.rpartition("/")[2].partition(".")[0]
        loose[name] = loose[name].join(usage) if name in loose else usage
    for name, usage in loose.items():
        if usage.newest < limit:
            yield ShardUse(name, "", usage.bytes, 0, 0, usage.newest)


def _name_shards(shards: Iterable[ShardUse], keys: Mapping[str, NDArray[np.bytes_]]) -> tuple[GarbageItem, ...]:
    """Return what is not needed of shards as garbage of the sweeps of their first runs."""
    return tuple(
        GarbageItem(layout.shard_path(shard.name), shard.bytes - shard.live_bytes, _find_owner(keys, shard.first_key))
        for shard in shards
    )


def _select_old(store: Store, limit: float, paths: Iterable[tuple[str, str]]) -> tuple[GarbageItem, ...]:
    """Return those of (path, sweep) that have not changed since `limit`, in seconds since the epoch."""
    usages = ((path, store.measure_usage(path), sweep) for path, sweep in paths)
    return tuple(GarbageItem(path, usage.bytes, sweep) for path, usage, sweep in usages if usage.newest < limit)


def _name_sweeps(items: Iterable[tuple[str, int]], keys: Mapping[str, NDArray[np.bytes_]]) -> tuple[GarbageItem, ...]:
    """Return (path, bytes) of manifests or run folders as garbage of their sweeps."""
    return tuple(GarbageItem(path, size, _find_owner(keys, layout.parse_key(path))) for path, size in items)


def _find_owner(keys: Mapping[str, NDArray[np.bytes_]], key: str) -> str:
    """Return the first sweep with the run in one of its attempts; empty if there is none."""
    if not layout.is_key(key):
        return ""
    one = np.array([bytes.fromhex(key)], f"S{layout.KEY_BYTES}")
    return next((sweep for sweep, its in keys.items() if contains_keys(its, one)[0]), "")


def _sort_manifests(
    store: Store, needed: NDArray[np.bytes_], limit: float
) -> tuple[list[tuple[str, int]], NDArray[np.bytes_]]:
    """Return path and size of the manifests that are garbage, and the sorted keys of all others."""
    garbage: list[tuple[str, int]] = []
    kept = bytearray()
    for path, usage in store.list_manifests():
        try:
            key = bytes.fromhex(layout.parse_key(path))
        except ValueError as error:
            raise DocumentError(f"{path}: its name is not a run key; remove the file") from error
        one = np.array([key], needed.dtype)
        if usage.newest < limit and not contains_keys(needed, one)[0]:
            garbage.append((path, usage.bytes))
        else:
            kept += key
    return garbage, np.sort(np.frombuffer(kept, needed.dtype))


def _find_unnamed_folders(store: Store, kept: NDArray[np.bytes_], limit: float) -> Iterator[tuple[str, int]]:
    """Yield path and size of the old run folders that no kept manifest names.

    Only a run with several folders needs its manifest: the one folder of a run with a manifest is the one it names.
    """
    for key, folders in store.list_run_folders():
        has_manifest = layout.is_key(key) and contains_keys(kept, np.array([bytes.fromhex(key)], kept.dtype))[0]
        old = {name: usage for name, usage in folders.items() if usage.newest < limit}
        if has_manifest and (len(folders) == 1 or not old):
            continue
        try:
            manifest = read_sound_manifest(store, key) if has_manifest else None
        except KeyError:  # just removed
            continue
        if has_manifest and manifest is None:
            continue
        named = manifest.c8 if manifest is not None else None
        yield from ((layout.run_path(key, name), usage.bytes) for name, usage in old.items() if name != named)
