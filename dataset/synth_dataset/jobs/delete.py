"""The delete Job: it removes the documents of a sweep and the runs that no other sweep needs, or all of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_api.jobs.dataset_input import DatasetInput, dataset_folder
from synth_api.jobs.messages import DeleteMessage
from synth_api.recipe.run_key import EXCLUDED_KEY
from synth_dataset.attempts.attempt import list_attempts
from synth_dataset.attempts.live_attempts import collect_keys, contains_keys, find_attempts, list_sweeps
from synth_dataset.documents import layout
from synth_dataset.jobs.job_process import Job, log_event, main
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_api.jobs.attempt_input import AttemptInput
    from synth_dataset.jobs.job_process import PodInput
    from synth_dataset.store.base import Store


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
    own = _collect_own_keys(store, given.namespace, given.name)
    needed = contains_keys(_collect_other_keys(store, given.namespace, given.name), own)
    existing = store.find_present_runs(own)
    log_event("the runs are known", runs=int(existing.sum()), needed_elsewhere=int((existing & needed).sum()))
    store.remove_files([layout.pointer_path(given.namespace, given.name)])
    _remove_runs(store, [layout.format_key(key) for key in own[~needed]])
    _remove_documents(store, layout.sweep_path(given.namespace, given.name))
    return DeleteMessage(runs=int((existing & ~needed).sum()), kept=int((existing & needed).sum()))


def _collect_own_keys(store: Store, namespace: str, name: str) -> NDArray[np.bytes_]:
    """Return the sorted keys of all attempts of the sweep; an attempt without keys is partly removed."""
    paths = list_attempts(store, namespace, name)
    keys = collect_keys(store, (path for path in paths if store.exists(f"{path}/{layout.KEYS}")))
    return np.setdiff1d(keys, np.array([EXCLUDED_KEY]))


def _collect_other_keys(store: Store, namespace: str, name: str) -> NDArray[np.bytes_]:
    others = (sweep for sweep in list_sweeps(store) if sweep != (namespace, name))
    return collect_keys(store, [path for sweep in others for path in find_attempts(store, *sweep).live])


def _remove_runs(store: Store, keys: list[str]) -> None:
    # Manifests first: a run without files never seems to exist.
    store.remove_files(map(layout.manifest_path, keys))
    for _ in read_ahead(store.remove_folder, map(layout.files_path, keys), store.max_requests):
        pass


def _remove_documents(store: Store, sweep: str) -> None:
    """Remove plans after the rest and keys last, so that a partly removed attempt still protects its runs."""
    last = {layout.PLAN: 1, layout.KEYS: 2}
    store.remove_files(sorted(store.iterate_files(sweep), key=lambda path: last.get(path.rpartition("/")[2], 0)))
    store.remove_folder(sweep)


JOB = Job("delete", delete, lambda problem: DeleteMessage(problem=problem))

if __name__ == "__main__":
    main(JOB)
