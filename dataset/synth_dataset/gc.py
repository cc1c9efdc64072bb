"""Garbage collection: what no live attempt needs and nobody has touched for a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset import layout
from synth_dataset.live import attempts_of, contains, keys_of, sweeps
from synth_dataset.manifest import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from synth_dataset.store import Store

DAY: Final = timedelta(days=1)
"""Age below which nothing is garbage: somebody may be working on it."""


@dataclass(frozen=True)
class Garbage:
    """What was (or would be) removed: paths relative to the store, by kind, and the bytes they hold."""

    runs: tuple[str, ...]
    """Manifests of runs in no live attempt."""
    folders: tuple[str, ...]
    """Run folders that no manifest names."""
    attempts: tuple[str, ...]
    scratch: tuple[str, ...]
    bytes: int


def collect(store: Store, older_than: timedelta = DAY, dry_run: bool = False, now: datetime | None = None) -> Garbage:
    """Remove what is older than `older_than` and not needed.

    Needed are the committed and the newest attempt of each sweep, the runs in their keys.bin, and the folder that the
    manifest of a needed run names. Raises DocumentError, with nothing removed, at an attempt or manifest that it cannot
    read.
    """
    limit = ((now or datetime.now(UTC)) - older_than).timestamp()
    attempts = [attempts_of(store, *sweep) for sweep in sweeps(store)]
    wanted = keys_of(store, (path for sweep in attempts for path in sweep.live))
    freed = 0

    def old(paths: Iterable[str]) -> Iterator[str]:
        nonlocal freed
        for path in paths:
            usage = store.usage(path)
            if usage.newest < limit:
                freed += usage.bytes
                yield path

    dead = tuple(old(path for sweep in attempts for path in sweep.dead))
    runs = tuple(old(_unwanted_runs(store, wanted)))
    folders = tuple(old(_unnamed_folders(store, frozenset(runs))))
    scratch = tuple(old(f"{layout.SCRATCH}/{child.name}" for child in store.children(layout.SCRATCH)))
    if not dry_run:
        store.remove_files(runs)  # manifests first: a run never looks finished when its files are going
        for path in (*folders, *dead, *scratch):
            store.remove_folder(path)
        store.remove_files(scratch)
    return Garbage(runs, folders, dead, scratch, freed)


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
