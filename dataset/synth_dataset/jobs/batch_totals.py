"""Totals over the batch documents of an attempt."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.documents.document import DocumentError, parse_document
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.documents.failed_run import FailedRun
    from synth_dataset.store.base import Store


@dataclass
class BatchTotals:
    """Sums over batches, and their failed runs; times in seconds."""

    failures: list[FailedRun] = field(default_factory=list)
    seconds: Counter[str] = field(default_factory=Counter)
    gpu_seconds_used: float = 0.0
    gpu_seconds_lost: float = 0.0
    gpu_seconds_startup: float = 0.0
    devices: list[str] = field(default_factory=list)
    """The kinds of GPUs, each once."""
    bytes: int = 0

    def add(self, document: BatchDocument) -> None:
        """Add the totals of one batch."""
        self.failures.extend(document.failures)
        self.seconds.update(document.seconds)
        self.gpu_seconds_used += document.gpu_seconds_used
        self.gpu_seconds_lost += document.gpu_seconds_lost
        self.gpu_seconds_startup += document.gpu_seconds_startup
        self.devices.extend(device for device in document.devices if device not in self.devices)
        self.bytes += document.bytes


def merge_batches(store: Store, attempt: StoredAttempt) -> BatchTotals:
    """Read and sum all batch documents of an attempt; a batch that never started has none.

    Raises DocumentError for a document that cannot be read or that lists runs of another batch.
    """

    def read(number: int) -> BatchDocument | None:
        path = layout.batch_path(attempt.path, number)
        try:
            return parse_document(BatchDocument, store.read(path), store.format_uri(path))
        except FileNotFoundError:
            return None

    totals = BatchTotals()
    batches, todo = attempt.batches, attempt.iterate_todo()
    for number, document in enumerate(read_ahead(read, range(batches.count), store.max_requests)):
        runs = set(islice(todo, batches.size))
        if document is None:
            continue
        if document.batch != number or not runs.issuperset(failure.number for failure in document.failures):
            path = store.format_uri(layout.batch_path(attempt.path, number))
            raise DocumentError(
                f"{path}: is the document of another batch; remove it, finalize finds its runs without it"
            )
        totals.add(document)
    return totals
