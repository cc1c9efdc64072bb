"""The delete Job: it removes a sweep with the runs and recipes that no other one needs, or all of a dataset."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_api.jobs.dataset_input import DatasetInput, dataset_folder
from synth_api.jobs.messages import DeleteMessage
from synth_api.recipe.run_key import EXCLUDED_KEY
from synth_dataset.attempts.attempt import list_attempts, read_first_key
from synth_dataset.attempts.garbage_collection import MIN_AGE
from synth_dataset.attempts.live_attempts import collect_keys, contains_keys, find_live
from synth_dataset.attempts.shard_garbage import measure_shards, pack_again, remove_shards
from synth_dataset.attempts.unneeded_recipes import find_unneeded_recipes
from synth_dataset.documents import layout
from synth_dataset.jobs.job_process import Job, log_event, main

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_api.jobs.attempt_input import AttemptInput
    from synth_dataset.jobs.job_process import PodInput
    from synth_dataset.store.base import Store

_MAX_MANIFESTS: Final = 10_000
"""Kept runs whose manifests are read for the recipes that they name, in some seconds."""


def delete(given: PodInput, store: Store) -> DeleteMessage:
    """Remove a sweep, or all versions of a SynthDataset, from its store. Raises as `_delete_sweep`."""
    if isinstance(given, DatasetInput):
        return _delete_dataset(given, store)
    return _delete_sweep(given, store)


def _delete_dataset(given: DatasetInput, store: Store) -> DeleteMessage:
    """Remove the versions of a dataset: the pointer and `dataset.json` of each first, so that none seems whole.

    Sweeps and runs stay: an export has copies of them.
    """
    folder = dataset_folder(given.namespace, given.name)
    versions = [child.name for child in store.list_children(folder) if child.is_folder]
    documents = [f"{folder}/{layout.DATASET}", *(f"{folder}/{version}/{layout.DATASET}" for version in versions)]
    store.remove_files(documents)
    store.remove_folder(folder)
    log_event("the versions are removed", versions=versions)
    return DeleteMessage()


def _delete_sweep(given: AttemptInput, store: Store) -> DeleteMessage:
    """Remove a sweep from its store.

    Raises StoreError; and DocumentError, with nothing removed, for an unreadable attempt of any sweep. The keys of the
    attempts, which find the runs, are removed last, so an interrupted Job can be repeated.
    """
    sweep = (given.namespace, given.name)
    attempts = [path for path in list_attempts(store, *sweep) if store.exists(f"{path}/{layout.KEYS}")]
    own = np.setdiff1d(collect_keys(store, attempts), np.array([EXCLUDED_KEY]))
    needed = contains_keys(collect_keys(store, find_live(store, but=sweep)), own)
    existing = store.find_present_runs(own)
    log_event("the runs are known", runs=int(existing.sum()), needed_elsewhere=int((existing & needed).sum()))
    store.remove_files([layout.pointer_path(*sweep)])
    is_packed = store.shards.contains(own)
    _remove_runs(store, [layout.format_key(key) for key in own[~needed & ~is_packed]])
    _remove_packed_runs(store, own[~needed])
    _remove_recipes(store, sweep, attempts)
    _remove_documents(store, layout.sweep_path(*sweep))
    return DeleteMessage(runs=int((existing & ~needed).sum()), kept=int((existing & needed).sum()))


def _remove_runs(store: Store, keys: list[str]) -> None:
    # Manifests first: a run without files never seems to exist.
    store.remove_files(map(layout.manifest_path, keys))
    store.remove_run_folders(map(layout.files_path, keys))


def _remove_packed_runs(store: Store, keys: NDArray[np.bytes_]) -> None:
    """Remove the shards that have no other runs than `keys` (N,), sorted; pack those again that have few others.

    A run in another shard stays, and goes when garbage collection packs that again.
    """
    store.shards.refresh()
    is_other = ~contains_keys(keys, store.shards.keys)
    shards = list(measure_shards(store, is_other))
    remove_shards(store, [shard.name for shard in shards if not shard.live_bytes])
    sparse = [shard.name for shard in shards if shard.live_bytes and shard.is_sparse]
    if sparse:
        store.shards.refresh()
        is_other = ~contains_keys(keys, store.shards.keys) & store.shards.is_used
        pack_again(store, sparse, is_other)


def _remove_recipes(store: Store, sweep: tuple[str, str], attempts: list[str]) -> None:
    """Remove the recipes of the first runs of these attempts, and old ones, that no run or other sweep needs."""
    kept = list(islice(store.iterate_keys(), _MAX_MANIFESTS + 1))
    if len(kept) > _MAX_MANIFESTS:
        log_event("recipes are left to synth gc", runs=f"more than {_MAX_MANIFESTS}")
        return
    deleted = {key for path in attempts if (key := read_first_key(store, path)) is not None}
    limit = (datetime.now(UTC) - MIN_AGE).timestamp()
    unneeded = find_unneeded_recipes(store, kept, limit, lambda: find_live(store, but=sweep), deleted)
    store.remove_files(path for path, _ in unneeded)


def _remove_documents(store: Store, sweep: str) -> None:
    """Remove plans after the rest and keys last, so that a partly removed attempt still protects its runs."""
    last = {layout.PLAN: 1, layout.KEYS: 2}
    store.remove_files(sorted(store.iterate_files(sweep), key=lambda path: last.get(path.rpartition("/")[2], 0)))
    store.remove_folder(sweep)


JOB = Job("delete", delete, lambda problem: DeleteMessage(problem=problem))

if __name__ == "__main__":
    main(JOB)
