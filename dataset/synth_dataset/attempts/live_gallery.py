"""Rows of the gallery while a sweep is rendered: runs and failures of its newest attempt, as the store shows them."""

from __future__ import annotations

import threading
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth_api.errors import InputError, suggest_name
from synth_dataset.attempts.attempt import find_dataset, list_attempts, open_attempt, read_keys
from synth_dataset.attempts.run_stream import build_run
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.documents.document import DocumentError, parse_document
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.gallery_page import build_page
from synth_dataset.views.gallery_pieces import build_failure_piece, build_run_piece
from synth_dataset.views.index import tabulate_runs
from synth_dataset.views.size_histogram import compute_diameters, summarize_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.documents.failed_run import FailedRun
    from synth_dataset.store.base import Store
    from synth_dataset.views.dataset_run import DatasetRun

MAX_NEW_RUNS: Final = 256
"""Runs of a piece: so many are read before the page shows them."""
MAX_PIECES: Final = 16
"""Pieces of an answer."""


def choose_sweep(store: Store, name: str | None, namespace: str = "local") -> str:
    """Return a name, or else that of the only sweep of a store, committed or not. Raises InputError."""
    names = sorted(child.name for child in store.list_children(f"{layout.SWEEPS}/{namespace}") if child.is_folder)
    if name is not None and name in names:
        return name
    if name is not None:
        raise InputError(store.location, f"holds no sweep '{name}'; {suggest_name(name, names)}")
    if len(names) != 1:
        several = f"holds {len(names)} sweeps; choose one of {', '.join(names)} with --name"
        raise InputError(store.location, several if names else "holds no sweep yet; call again when synth render runs")
    return names[0]


class LiveGallery:
    """Page and rows of the newest attempt of a sweep. The store is asked only while a page asks.

    Its methods may be called by several threads. They raise StoreError and DocumentError.
    """

    def __init__(self, store: Store, namespace: str, name: str, seconds: float) -> None:
        self.store = store
        self._namespace = namespace
        self._name = name
        self._seconds = seconds
        """Time between two looks at the store."""
        self._lock = threading.Lock()
        self._next = 0.0
        self._attempt: _LiveAttempt | None = None

    def build_page(self) -> bytes:
        """Return the page as HTML. Raises InputError if the sweep has no attempt."""
        with self._lock:
            attempt = self._refresh()
        axes = [axis.path for axis in attempt.stored.document.axes]
        return build_page(self._name, axes, live=attempt.stored.path)

    def list_news(self, attempt: str, after: int) -> dict[str, Any]:
        """Return the pieces after the first `after` ones that a page of an attempt has; none to a page of another."""
        with self._lock:
            live = self._refresh()
            is_same = live.stored.path == attempt
            pieces = live.pieces[after : after + MAX_PIECES] if is_same else []
            received = after + len(pieces)
            return {
                "attempt": live.stored.path,
                "pieces": pieces,
                "received": received,
                "more": received < len(live.pieces) or live.has_found_runs,
                "state": live.describe(),
            }

    def _refresh(self) -> _LiveAttempt:
        if self._attempt is not None and self._attempt.has_found_runs:
            self._attempt.read_found_runs()
        elif self._attempt is None or time.monotonic() >= self._next:
            self._attempt = self._find_attempt()
            self._attempt.find_runs()
            self._attempt.read_found_runs()
            self._next = time.monotonic() + self._seconds
        return self._attempt

    def _find_attempt(self) -> _LiveAttempt:
        """Return the newest attempt, the known one if it still is."""
        found = []
        for path in list_attempts(self.store, self._namespace, self._name):
            try:
                found.append(open_attempt(self.store, path))
            except DocumentError:  # not written yet
                continue
        if not found:
            raise InputError(self._name, f"has nothing in {self.store.location} yet; call again when it is planned")
        newest = max(found, key=lambda attempt: attempt.document.created)
        if self._attempt is not None and self._attempt.stored.path == newest.path:
            return self._attempt
        return _LiveAttempt(self.store, newest)


class _LiveAttempt:
    """Runs of an attempt that were found so far."""

    def __init__(self, store: Store, stored: StoredAttempt) -> None:
        self.store = store
        self.stored = stored
        self.pieces: list[dict[str, Any]] = []
        self._axes = [axis.path for axis in stored.document.axes]
        keys = read_keys(store, stored.path)
        self._numbers = np.flatnonzero(keys)
        self._keys = keys[self._numbers]
        """Keys of the runs that were not found yet."""
        self._found: list[tuple[int, str]] = []
        self._failed: dict[int, FailedRun] = {}
        self._batches: dict[str, int] = {}
        self._shown = 0
        self._is_committed = False
        self._problem = ""

    @property
    def has_found_runs(self) -> bool:
        """True if runs were found that no piece has yet."""
        return bool(self._found)

    def describe(self) -> str:
        """Return progress as a sentence."""
        failed = f", {len(self._failed):,} failed" if self._failed else ""
        end = "; the dataset is committed" if self._is_committed else ""
        problem = f"; {self._problem}" if self._problem else ""
        return f"{self._shown:,} of {self.stored.document.total:,} runs rendered{failed}{end}{problem}"

    def find_runs(self) -> None:
        """Look which runs exist, and which have failed."""
        if len(self._keys):
            present = self.store.find_present_runs(self._keys)
            keys = map(layout.format_key, self._keys[present])
            self._found.extend(zip(self._numbers[present].tolist(), keys, strict=True))
            self._numbers, self._keys = self._numbers[~present], self._keys[~present]
        self._find_failures()

    def read_found_runs(self) -> None:
        """Make a piece of some of the runs that were found."""
        read = read_ahead(self._read_run, self._found[:MAX_NEW_RUNS], self.store.max_requests)
        runs = [run for run in read if run is not None]
        del self._found[:MAX_NEW_RUNS]
        if not runs:
            return
        sizes = [diameters for _, diameters in runs]
        numbers = np.repeat([run.number for run, _ in runs], [len(diameters) for diameters in sizes])
        index = tabulate_runs(self.stored.document.axes, [run for run, _ in runs])
        self.pieces.append(build_run_piece(index, summarize_sizes(numbers, np.concatenate(sizes)), self._axes))
        self._shown += len(runs)
        for run, _ in runs:
            self._failed.pop(run.number, None)

    def _read_run(self, run: tuple[int, str]) -> tuple[DatasetRun, NDArray[np.float64]] | None:
        """Return a run with the diameters (N,) of its particles; None if it cannot be read."""
        number, key = run
        try:
            manifest = self.store.read_manifest(key)
        except (KeyError, DocumentError) as error:
            self._problem = f"run {number} cannot be read: {error}"
            return None
        found = build_run(self.store, self.stored, number, manifest)
        try:
            table = pq.read_table(BytesIO(found.read(layout.PARTICLES)), columns=["volume"])
        except FileNotFoundError:
            return found, np.zeros(0)
        except (pa.ArrowException, OSError) as error:
            self._problem = f"the particles of run {number} cannot be read: {error}"
            return found, np.zeros(0)
        return found, compute_diameters(table["volume"].drop_null().to_numpy())

    def _find_failures(self) -> None:
        """Make a piece of the runs that have failed since the last look."""
        missing = set(self._numbers.tolist())
        new = [run for run in self._read_failures() if run.number in missing and run.number not in self._failed]
        self._failed |= {run.number: run for run in new}
        if new:
            self.pieces.append(build_failure_piece(new, self._axes))

    def _read_failures(self) -> list[FailedRun]:
        """Return the failed runs of the dataset if it is committed, else of the batches that have changed."""
        document = self.stored.document
        dataset = find_dataset(self.store, document.namespace, document.name)
        self._is_committed = dataset is not None and dataset.folder == self.stored.path
        if dataset is not None and self._is_committed:
            return list(dataset.failures)
        folder = f"{self.stored.path}/{layout.BATCHES}"
        sizes = self.store.list_sizes(folder)
        changed = [name for name, size in sizes.items() if self._batches.get(name) != size]
        self._batches = sizes
        contents = read_ahead(lambda name: self._read_batch(f"{folder}/{name}"), changed, self.store.max_requests)
        return [failure for failures in contents for failure in failures]

    def _read_batch(self, path: str) -> tuple[FailedRun, ...]:
        try:
            return parse_document(BatchDocument, self.store.read(path), path).failures
        except (FileNotFoundError, DocumentError):
            return ()
