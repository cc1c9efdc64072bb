"""Check of the files of runs: a run counts only if each of its files is there with its size."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from synth_dataset.attempts.attempt import read_keys
from synth_dataset.documents import layout
from synth_dataset.documents.remedies import RENDER_RUN
from synth_dataset.store.base import hash_sizes

if TYPE_CHECKING:
    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store

_log = logging.getLogger(__name__)


class _LostRun(NamedTuple):
    number: int
    key: str
    fault: str


class FileCheck:
    """The runs of an attempt that have lost files, found by one listing of a bucket and 8 bytes a run."""

    def __init__(self, store: Store, attempt: StoredAttempt) -> None:
        self._store = store
        store.shards.refresh()
        keys = read_keys(store, attempt.path)
        self._summaries = store.summarize_files(keys)
        self._lost: list[_LostRun] = []

    def has_files(self, number: int, manifest: Manifest) -> bool:
        """Return True if all files of a run are there; keep it as lost if not. Threads may call it."""
        sizes = ((file.path, file.bytes) for file in manifest.files)
        listed = int(self._summaries[number])
        if listed and listed == hash_sizes(manifest.c8, sizes):
            return True
        fault = self._store.find_fault(manifest)
        if fault is not None:
            self._lost.append(_LostRun(number, manifest.key, fault))
        return fault is None

    def remove_lost_runs(self) -> None:
        """Remove the manifests of the lost runs, which do not exist any more then; warn of them in one sentence.

        Remove the indexes of shards that have lost their tar files likewise, with a warning each.
        """
        for name in self._store.shards.broken:
            tar = self._store.format_uri(layout.shard_path(name))
            _log.warning(
                "%s: is missing or has another size than its index says, so its runs are missing; %s", tar, RENDER_RUN
            )
        self._store.remove_files(map(layout.shard_index_path, self._store.shards.broken))
        self._store.shards.expire()
        if not self._lost:
            return
        first, others = min(self._lost), len(self._lost) - 1
        more = f", as {'does 1 other' if others == 1 else f'do {others:,} others'}" if others else ""
        _log.warning(
            "run %d (%s): %s, so it counts as missing%s; %s", first.number, first.key, first.fault, more, RENDER_RUN
        )
        self._store.remove_files(layout.manifest_path(run.key) for run in self._lost)
