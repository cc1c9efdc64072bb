"""Garbage collection: what no live attempt needs and nobody has touched for a day."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset import layout
from synth_dataset.attempt import attempt_paths, committed, open_attempt
from synth_dataset.manifest import DocumentError
from synth_dataset.store import entries, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synth_dataset.attempt import Attempt
    from synth_dataset.store import FolderStore

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


def collect(
    store: FolderStore, older_than: timedelta = DAY, dry_run: bool = False, now: datetime | None = None
) -> Garbage:
    """Remove what is older than `older_than` and not needed.

    Needed are the committed and the newest attempt of each sweep, the runs in their keys.bin, and the folder that the
    manifest of a needed run names. Raises DocumentError, with nothing removed, at an attempt or manifest that it cannot
    read.
    """
    limit = ((now or datetime.now(UTC)) - older_than).timestamp()
    live, dead = _attempts(store)
    wanted = _keys(store, live)
    attempts = tuple(path for path in dead if _newest_time(store.root / path) < limit)
    runs = tuple(path for path in _unwanted_runs(store, wanted) if _newest_time(store.root / path) < limit)
    folders = tuple(
        path for path in _unnamed_folders(store, frozenset(runs)) if _newest_time(store.root / path) < limit
    )
    scratch = tuple(
        f"{layout.SCRATCH}/{entry.name}"
        for entry in entries(store.root / layout.SCRATCH)
        if _newest_time(Path(entry.path)) < limit
    )
    everything = (*runs, *folders, *attempts, *scratch)
    garbage = Garbage(runs, folders, attempts, scratch, sum(_size(store.root / path) for path in everything))
    if not dry_run:
        for path in everything:  # manifests first: a run never looks finished when its files are going
            _remove(store, store.root / path)
    return garbage


def _attempts(store: FolderStore) -> tuple[list[Attempt], list[str]]:
    """The live attempts and the folders of the others, over all sweeps."""
    live: list[Attempt] = []
    dead: list[str] = []
    for namespace in entries(store.root / layout.SWEEPS):
        for sweep in entries(Path(namespace.path)):
            attempts = [open_attempt(store, path) for path in attempt_paths(store, namespace.name, sweep.name)]
            dataset = committed(store, namespace.name, sweep.name)
            if dataset is not None and all(attempt.path != dataset.folder for attempt in attempts):
                raise DocumentError(f"{store.root / dataset.folder}: the committed attempt is missing; restore it")
            newest = max(attempts, key=lambda attempt: attempt.document.created, default=None)
            for attempt in attempts:
                is_committed = dataset is not None and attempt.path == dataset.folder
                if is_committed or attempt is newest:
                    live.append(attempt)
                else:
                    dead.append(attempt.path)
    return live, dead


def _keys(store: FolderStore, attempts: list[Attempt]) -> NDArray[np.bytes_]:
    """The sorted keys of attempts, 32 bytes each."""
    data = b"".join((store.root / attempt.path / layout.KEYS).read_bytes() for attempt in attempts)
    keys: NDArray[np.bytes_] = np.unique(np.frombuffer(data, f"S{layout.KEY_BYTES}"))
    return keys


def _unwanted_runs(store: FolderStore, wanted: NDArray[np.bytes_]) -> Iterator[str]:
    existing = store.keys()
    for key in existing:
        if not _contains(wanted, key):
            yield layout.manifest_path(key)


def _contains(sorted_keys: NDArray[np.bytes_], key: str) -> bool:
    try:
        wanted = np.array(bytes.fromhex(key), sorted_keys.dtype)
    except ValueError as error:
        raise DocumentError(f"{layout.manifest_path(key)}: is not named by a run key; remove the file") from error
    place = int(np.searchsorted(sorted_keys, wanted))
    return place < len(sorted_keys) and bool(sorted_keys[place] == wanted)


def _unnamed_folders(store: FolderStore, unwanted: frozenset[str]) -> Iterator[str]:
    """Run folders that no manifest names once those of `unwanted` are gone."""
    for shard in entries(store.root / layout.RUNS):
        for run in entries(Path(shard.path)):
            named = None
            if layout.manifest_path(run.name) not in unwanted and store.has(run.name):
                named = store.manifest(run.name).c8
            for folder in entries(Path(run.path)):
                if folder.name != named:
                    yield layout.run_path(run.name, folder.name)


def _newest_time(path: Path) -> float:
    """Seconds since the epoch of the last change of a file, or of a folder and what lies in it; 0 when it is gone."""
    times = [_time(path), *(_time(child) for child in path.rglob("*"))]
    return max(times)


def _time(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [child for child in path.rglob("*") if child.is_file()]
    return sum(file.stat().st_size for file in files)


def _remove(store: FolderStore, path: Path) -> None:
    if path.is_file():
        path.unlink()
        sync_folder(path.parent)
        return
    if path.parent == store.root / layout.SCRATCH:
        shutil.rmtree(path, ignore_errors=True)
        return
    # Out of sight in one step, so that a kill half-way leaves garbage and no half of a folder.
    grave = store.root / layout.SCRATCH / f"removed-{path.parent.name}-{path.name}"
    grave.parent.mkdir(exist_ok=True)
    path.rename(grave)
    shutil.rmtree(grave, ignore_errors=True)
