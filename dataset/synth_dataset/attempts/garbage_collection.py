"""Garbage collection: what no live attempt needs and nobody has touched for a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.attempts.live_attempts import attempts_of, contains, keys_of, sweeps
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from synth_dataset.store.base import Store

DAY: Final = timedelta(days=1)
"""Age below which nothing is garbage: somebody may be working on it."""


@dataclass(frozen=True)
class GarbageItem:
    """A file or folder that is garbage; `path` is relative to the store."""

    path: str
    bytes: int
    sweep: str = ""
    """Namespace and name of the sweep that had it, `local/spheres_sem`; empty for one of no sweep."""


@dataclass(frozen=True)
class Garbage:
    """What is not needed, by kind."""

    runs: tuple[GarbageItem, ...] = ()
    """Manifests of runs in no live attempt."""
    folders: tuple[GarbageItem, ...] = ()
    """Run folders that no manifest names, those of `runs` among them."""
    attempts: tuple[GarbageItem, ...] = ()
    scratch: tuple[GarbageItem, ...] = ()

    @property
    def items(self) -> tuple[GarbageItem, ...]:
        """Of all kinds."""
        return (*self.runs, *self.folders, *self.attempts, *self.scratch)

    @property
    def bytes(self) -> int:
        """What they hold together."""
        return sum(item.bytes for item in self.items)

    def still_in(self, other: Garbage) -> Garbage:
        """What is in both: the garbage that a person has seen and that is garbage now."""
        paths = frozenset(item.path for item in other.items)
        kinds = (self.runs, self.folders, self.attempts, self.scratch)
        return Garbage(*(tuple(item for item in kind if item.path in paths) for kind in kinds))


def find_garbage(store: Store, older_than: timedelta = DAY, now: datetime | None = None) -> Garbage:
    """Find what is older than `older_than` and not needed.

    Needed are the committed and the newest attempt of each sweep, the runs in their keys.bin, and the folder that the
    manifest of a needed run names. Raises DocumentError at an attempt or manifest that it cannot read.
    """
    limit = ((now or datetime.now(UTC)) - older_than).timestamp()
    attempts = {f"{namespace}/{name}": attempts_of(store, namespace, name) for namespace, name in sweeps(store)}
    wanted = keys_of(store, (path for its in attempts.values() for path in its.live))
    keys = {sweep: keys_of(store, (*its.live, *its.dead)) for sweep, its in attempts.items()}

    def owned(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        return ((path, _owner(keys, layout.key_of(path))) for path in paths)

    runs = _old(store, limit, owned(_unwanted_runs(store, wanted)))
    unwanted = frozenset(item.path for item in runs)
    dead = ((path, sweep) for sweep, its in attempts.items() for path in its.dead)
    scratch = ((f"{layout.SCRATCH}/{child.name}", "") for child in store.children(layout.SCRATCH))
    folders = _old(store, limit, owned(_unnamed_folders(store, unwanted)))
    return Garbage(runs, folders, _old(store, limit, dead), _old(store, limit, scratch))


def remove_garbage(store: Store, garbage: Garbage) -> None:
    """Remove it. Manifests go first: a run never looks finished when its files are going."""
    store.remove_files(item.path for item in garbage.runs)
    for item in (*garbage.folders, *garbage.attempts, *garbage.scratch):
        store.remove_folder(item.path)
    store.remove_files(item.path for item in garbage.scratch)


def _old(store: Store, limit: float, paths: Iterable[tuple[str, str]]) -> tuple[GarbageItem, ...]:
    """Of paths with their sweeps those that nobody has touched since `limit`, seconds since the epoch."""
    usages = ((path, store.usage(path), sweep) for path, sweep in paths)
    return tuple(GarbageItem(path, usage.bytes, sweep) for path, usage, sweep in usages if usage.newest < limit)


def _owner(keys: Mapping[str, NDArray[np.bytes_]], key: str) -> str:
    """The first sweep one of whose attempts has the run; empty for a run of none."""
    if not layout.is_key(key):
        return ""
    one = np.array([bytes.fromhex(key)], f"S{layout.KEY_BYTES}")
    return next((sweep for sweep, its in keys.items() if contains(its, one)[0]), "")


def _unwanted_runs(store: Store, wanted: NDArray[np.bytes_]) -> Iterator[str]:
    existing = store.keys()
    for key in existing:
        try:
            one = np.array([bytes.fromhex(key)], wanted.dtype)
        except ValueError as error:
            raise DocumentError(f"{layout.manifest_path(key)}: is not named by a run key; remove the file") from error
        if not contains(wanted, one)[0]:
            yield layout.manifest_path(key)


def _unnamed_folders(store: Store, unwanted: frozenset[str]) -> Iterator[str]:
    """Run folders that no manifest names once those of `unwanted` are gone."""
    for shard in store.children(layout.RUNS):
        for run in store.children(f"{layout.RUNS}/{shard.name}"):
            named = None
            if layout.manifest_path(run.name) not in unwanted and store.has(run.name):
                named = store.manifest(run.name).c8
            for folder in store.children(f"{layout.RUNS}/{shard.name}/{run.name}"):
                if folder.name != named:
                    yield layout.run_path(run.name, folder.name)
