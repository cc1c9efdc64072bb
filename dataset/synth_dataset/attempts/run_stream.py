"""The runs of an attempt as a stream: whoever reads a whole dataset, of any size, reads it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_dataset.attempts.attempt import iterate_keys
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.dataset_run import DatasetRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store


def iterate_runs(store: Store, attempt: StoredAttempt) -> Iterator[DatasetRun]:
    """Yield the existing runs of an attempt in run order.

    Manifests are read ahead in parallel; memory holds a few of them at any number of runs. Raises DocumentError for a
    manifest that cannot be read, StoreError.
    """
    return (run for _, run in survey_runs(store, attempt) if run is not None)


def survey_runs(
    store: Store, attempt: StoredAttempt, has_files: Callable[[int, Manifest], bool] = lambda *_: True
) -> Iterator[tuple[int, DatasetRun | None]]:
    """Yield each run number of an attempt that is not excluded, with its run or None if it does not exist.

    A run for whose number and manifest `has_files` is False does not exist either; threads call it.
    """

    def read_manifest(run: tuple[int, bytes]) -> tuple[int, Manifest | None]:
        number, key = run
        try:
            manifest = store.read_manifest(key.hex())
        except KeyError:
            return number, None
        return number, manifest if has_files(number, manifest) else None

    runs = ((number, key) for number, key in enumerate(iterate_keys(store, attempt.path)) if any(key))
    for number, manifest in read_ahead(read_manifest, runs, store.max_requests):
        yield number, None if manifest is None else build_run(store, attempt, number, manifest)


def build_run(store: Store, attempt: StoredAttempt, number: int, manifest: Manifest) -> DatasetRun:
    """Return the run of an attempt that has this number and manifest."""
    overrides, splits = attempt.document.overrides(number), attempt.document.card.splits
    split = splits.find_split(manifest.seed, overrides) if splits else None
    return DatasetRun(number, overrides, manifest, store, split)
