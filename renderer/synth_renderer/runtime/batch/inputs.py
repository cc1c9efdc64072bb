"""Inputs of a render pod: its input file, the attempt's plan, its batch document."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from synth_api.version import ENGINE_VERSION
from synth_dataset.attempts.attempt import open_attempt
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import BatchDocument
from synth_dataset.documents.document import DocumentError, parse_document
from synth_renderer.runtime.batch.progress import BatchWork
from synth_renderer.runtime.protocol import TaskBuilder

if TYPE_CHECKING:
    from synth_api.jobs.attempt_input import AttemptInput
    from synth_api.sweep.definition import Sweep
    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.store.base import Store
    from synth_dataset.store.packing import Packer


class EngineMismatchError(RuntimeError):
    """The plan is of another engine version: this worker would render other pictures under its run keys."""

    def __init__(self, planned: int) -> None:
        super().__init__(
            f"the plan is of engine version {planned}, this renderer image has {ENGINE_VERSION}; "
            "use the image of the operator's release"
        )


def check_engine(attempt: AttemptInput) -> None:
    """Raise EngineMismatchError if the attempt was planned for another engine version."""
    if attempt.engine_version != ENGINE_VERSION:
        raise EngineMismatchError(attempt.engine_version)


def open_batch(store: Store, given: AttemptInput, sweep: Sweep, number: int, packer: Packer | None = None) -> BatchWork:
    """Return batch `number` of an attempt. Raises DocumentError for an unreadable plan, StoreError."""
    attempt = open_attempt(store, layout.attempt_path(given.namespace, given.name, given.plan, given.attempt))
    runs = list_batch_runs(attempt, number)
    document = _read_document(store, layout.batch_path(attempt.path, number), number, len(runs))
    return BatchWork(store, attempt.path, document, runs, TaskBuilder(sweep).build, packer)


def list_batch_runs(attempt: StoredAttempt, number: int) -> list[int]:
    """Return the run numbers of a batch. Raises DocumentError if the attempt has no such batch."""
    positions = attempt.batches.get_runs(number)
    runs = list(islice(attempt.iterate_todo(), positions.start, positions.stop))
    if not runs:
        raise DocumentError(f"{attempt.path}: has {attempt.batches.count} batches, there is none with number {number}")
    return runs


def _read_document(store: Store, path: str, number: int, size: int) -> BatchDocument:
    try:
        return parse_document(BatchDocument, store.read(path), store.format_uri(path))
    except FileNotFoundError:
        return BatchDocument(batch=number, size=size)
