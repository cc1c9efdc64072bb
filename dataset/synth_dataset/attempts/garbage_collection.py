"""Garbage collection: stored objects that no live attempt needs and that are older than a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.attempts.live_attempts import collect_keys, contains_keys, find_attempts, list_sweeps
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from synth_dataset.store.base import Store

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
    attempts: tuple[GarbageItem, ...] = ()
    scratch: tuple[GarbageItem, ...] = ()

    @property
    def items(self) -> tuple[GarbageItem, ...]:
        """Garbage of all four kinds together."""
        return (*self.runs, *self.folders, *self.attempts, *self.scratch)

    @property
    def bytes(self) -> int:
        """Total size of all items."""
        return sum(item.bytes for item in self.items)

    def intersect(self, other: Garbage) -> Garbage:
        """Return the items that are in both: listed before the confirmation, and still garbage after it."""
        paths = frozenset(item.path for item in other.items)
        kinds = (self.runs, self.folders, self.attempts, self.scratch)
        return Garbage(*(tuple(item for item in kind if item.path in paths) for kind in kinds))


def find_garbage(store: Store, older_than: timedelta = MIN_AGE, now: datetime | None = None) -> Garbage:
    """Find objects that are older than `older_than` and not needed.

    Needed are live attempts, the runs in their keys.bin, and the folder that the manifest of a needed run names. Raises
    DocumentError for an attempt or manifest that cannot be read.
    """
    limit = ((now or datetime.now(UTC)) - older_than).timestamp()
    attempts = {f"{namespace}/{name}": find_attempts(store, namespace, name) for namespace, name in list_sweeps(store)}
    needed = collect_keys(store, (path for its in attempts.values() for path in its.live))
    keys = {sweep: collect_keys(store, (*its.live, *its.dead)) for sweep, its in attempts.items()}

    def pair_with_sweeps(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        return ((path, _find_owner(keys, layout.parse_key(path))) for path in paths)

    runs = _select_old(store, limit, pair_with_sweeps(_find_unwanted_runs(store, needed)))
    unwanted = frozenset(item.path for item in runs)
    dead = ((path, sweep) for sweep, its in attempts.items() for path in its.dead)
    scratch = ((f"{layout.SCRATCH}/{child.name}", "") for child in store.list_children(layout.SCRATCH))
    folders = _select_old(store, limit, pair_with_sweeps(_find_unnamed_folders(store, unwanted)))
    return Garbage(runs, folders, _select_old(store, limit, dead), _select_old(store, limit, scratch))


def remove_garbage(store: Store, garbage: Garbage) -> None:
    """Remove garbage; manifests first, so that a run without files never seems to exist."""
    store.remove_files(item.path for item in garbage.runs)
    for item in (*garbage.folders, *garbage.attempts, *garbage.scratch):
        store.remove_folder(item.path)
    store.remove_files(item.path for item in garbage.scratch)


def _select_old(store: Store, limit: float, paths: Iterable[tuple[str, str]]) -> tuple[GarbageItem, ...]:
    """Return those of (path, sweep) that have not changed since `limit`, in seconds since the epoch."""
    usages = ((path, store.measure_usage(path), sweep) for path, sweep in paths)
    return tuple(GarbageItem(path, usage.bytes, sweep) for path, usage, sweep in usages if usage.newest < limit)


def _find_owner(keys: Mapping[str, NDArray[np.bytes_]], key: str) -> str:
    """Return the first sweep with the run in one of its attempts; empty if there is none."""
    if not layout.is_key(key):
        return ""
    one = np.array([bytes.fromhex(key)], f"S{layout.KEY_BYTES}")
    return next((sweep for sweep, its in keys.items() if contains_keys(its, one)[0]), "")


def _find_unwanted_runs(store: Store, needed: NDArray[np.bytes_]) -> Iterator[str]:
    """Yield the manifests of existing runs that are not among the sorted keys."""
    for key in store.iterate_keys():
        try:
            one = np.array([bytes.fromhex(key)], needed.dtype)
        except ValueError as error:
            raise DocumentError(f"{layout.manifest_path(key)}: its name is not a run key; remove the file") from error
        if not contains_keys(needed, one)[0]:
            yield layout.manifest_path(key)


def _find_unnamed_folders(store: Store, unwanted: frozenset[str]) -> Iterator[str]:
    """Yield the run folders that no manifest names, except manifests in `unwanted`."""
    for shard in store.list_children(layout.RUNS):
        for run in store.list_children(f"{layout.RUNS}/{shard.name}"):
            named = None
            if layout.manifest_path(run.name) not in unwanted and store.has_run(run.name):
                named = store.read_manifest(run.name).c8
            for folder in store.list_children(f"{layout.RUNS}/{shard.name}/{run.name}"):
                if folder.name != named:
                    yield layout.run_path(run.name, folder.name)
