"""The delete Job: a sweep's documents go, and the runs that no other sweep needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_api.jobs.messages import DeleteMessage
from synth_api.recipe.run_key import EXCLUDED_KEY
from synth_dataset.attempts.attempt import attempt_paths
from synth_dataset.attempts.live_attempts import attempts_of, contains, keys_of, sweeps
from synth_dataset.documents import layout
from synth_dataset.jobs.job_process import Job, log, main
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_api.jobs.attempt_input import AttemptInput
    from synth_dataset.store.base import Store


def delete(given: AttemptInput, store: Store) -> DeleteMessage:
    """Remove a sweep from its store. Raises StoreError; and DocumentError, with nothing removed, for an attempt of any
    sweep that cannot be read.

    Runs are found by the keys of the sweep's attempts, which go last: so a Job that was cut short can be repeated.
    """
    own = _own_keys(store, given.namespace, given.name)
    needed = contains(_other_keys(store, given.namespace, given.name), own)
    existing = store.present(own)
    log("the runs are known", runs=int(existing.sum()), needed_elsewhere=int((existing & needed).sum()))
    store.remove_files([layout.pointer_path(given.namespace, given.name)])
    _remove_runs(store, [layout.key_text(key) for key in own[~needed]])
    _remove_documents(store, layout.sweep_path(given.namespace, given.name))
    return DeleteMessage(runs=int((existing & ~needed).sum()), kept=int((existing & needed).sum()))


def _own_keys(store: Store, namespace: str, name: str) -> NDArray[np.bytes_]:
    """The keys of all the sweep's attempts, sorted; an attempt without keys is one that was being removed."""
    paths = attempt_paths(store, namespace, name)
    keys = keys_of(store, (path for path in paths if store.exists(f"{path}/{layout.KEYS}")))
    return np.setdiff1d(keys, np.array([EXCLUDED_KEY]))


def _other_keys(store: Store, namespace: str, name: str) -> NDArray[np.bytes_]:
    others = (sweep for sweep in sweeps(store) if sweep != (namespace, name))
    return keys_of(store, [path for sweep in others for path in attempts_of(store, *sweep).live])


def _remove_runs(store: Store, keys: list[str]) -> None:
    # Manifests first: a run never looks finished when its files are going.
    store.remove_files(map(layout.manifest_path, keys))
    for _ in read_ahead(store.remove_folder, map(layout.files_path, keys), store.requests_at_once):
        pass


def _remove_documents(store: Store, sweep: str) -> None:
    """Plans after the rest and keys last: what is left half-way keeps its runs from others' removal."""
    last = {layout.PLAN: 1, layout.KEYS: 2}
    store.remove_files(sorted(store.files(sweep), key=lambda path: last.get(path.rpartition("/")[2], 0)))
    store.remove_folder(sweep)


JOB = Job("delete", delete, lambda problem: DeleteMessage(problem=problem))

if __name__ == "__main__":
    main(JOB)
