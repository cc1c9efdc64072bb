"""Runs of a bucket by listing: the folders of a first byte of keys, such as `runs/ab`, are listed in parallel."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.documents import layout
from synth_dataset.store.base import StorageUsage, Store, hash_sizes
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.store.sorted_keys import find_keys, match_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_SUMMARY: Final = np.dtype([("key", f"S{layout.KEY_BYTES}"), ("summary", np.uint64)])


def list_manifests(store: Store) -> Iterator[tuple[str, StorageUsage]]:
    """Yield path and usage of the manifests of all runs."""
    parts = read_ahead(
        lambda path: list(store.list_usages(path)), _list_first_bytes(store, layout.MANIFESTS), store.max_requests
    )
    for objects in parts:
        yield from ((path, usage) for path, usage in objects if path.endswith(".json"))


def list_run_folders(store: Store) -> Iterator[tuple[str, dict[str, StorageUsage]]]:
    """Yield key and folders of each run with files."""

    def list_runs(folder: str) -> dict[str, dict[str, StorageUsage]]:
        runs: dict[str, dict[str, StorageUsage]] = {}
        for path, usage in store.list_usages(folder):
            _, _, key, name, *_ = f"{path}/".split("/")
            folders = runs.setdefault(key, {})
            folders[name] = folders[name].join(usage) if name in folders else usage
        return runs

    for runs in read_ahead(list_runs, _list_first_bytes(store, layout.RUNS), store.max_requests):
        yield from runs.items()


def summarize_run_folders(store: Store, keys: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """Return `hash_sizes` (N,) of the folder of each run; 0 for a run with several folders, or none."""
    summaries = np.zeros(len(keys), np.uint64)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    parts = read_ahead(
        lambda path: _summarize_first_byte(store, path), _list_first_bytes(store, layout.RUNS), store.max_requests
    )
    for part in parts:
        places, listed = match_keys(ordered, part["key"])
        summaries[order[places]] = part["summary"][listed]
    return summaries


def find_run_folders(store: Store, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the runs with a folder, by listing folders but not their objects."""
    parts = read_ahead(
        lambda path: list(store.list_children(path)), _list_first_bytes(store, layout.RUNS), store.max_requests
    )
    return find_keys(keys, (run.name for part in parts for run in part))


def remove_run_folders(store: Store, folders: Iterable[str]) -> None:
    """Remove many folders of runs: list the folders of their first bytes, and remove objects page by page."""
    wanted = defaultdict[str, set[str]](set)
    for folder in folders:
        wanted[_cut_path(folder, 2)].add(folder)

    def remove(part: str) -> None:
        chosen = wanted[part]
        files = store.iterate_files(part)
        store.remove_files(file for file in files if not chosen.isdisjoint((_cut_path(file, 3), _cut_path(file, 4))))

    for _ in read_ahead(remove, wanted, store.max_requests):
        pass


def _cut_path(path: str, names: int) -> str:
    return "/".join(path.split("/", names)[:names])


def _list_first_bytes(store: Store, folder: str) -> list[str]:
    return [f"{folder}/{child.name}" for child in store.list_children(folder) if child.is_folder]


def _summarize_first_byte(store: Store, path: str) -> NDArray[np.void]:
    """Return key and summary of each run below a folder of a first byte; 0 for a run with several folders."""
    sizes: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for name, usage in store.list_usages(path):
        _, _, key, *file = name.split("/", 4)
        if layout.is_key(key) and len(file) == 2:
            sizes.setdefault((key, file[0]), []).append((file[1], usage.bytes))
    folders = Counter(key for key, _ in sizes)
    rows = [
        (bytes.fromhex(key), hash_sizes(c8, files) if folders[key] == 1 else 0) for (key, c8), files in sizes.items()
    ]
    return np.array(rows, _SUMMARY)
