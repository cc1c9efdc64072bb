"""Attempts: the runs that existed and the runs to do when an attempt began, written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_api.jobs.batches import Batches
from synth_api.sweep.axis_values import replace_infinities
from synth_api.version import ENGINE_VERSION
from synth_dataset.attempts.render_order import order_runs
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import AttemptDocument, AxisDocument, SweepPart, number_categories
from synth_dataset.documents.dataset_document import DatasetDocument
from synth_dataset.documents.document import DocumentError, parse_document
from synth_dataset.documents.remedies import WRITE_POINTER
from synth_dataset.documents.safe_paths import check_stored_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_api.sweep.axes import Axis
    from synth_dataset.attempts.planned_sweep import PlannedRuns
    from synth_dataset.attempts.survey import Survey
    from synth_dataset.store.base import Store

_MAX_KEYS_PER_READ: Final = 32_768
"""One request of 1 MiB reads so many keys."""


@dataclass(frozen=True)
class StoredAttempt:
    """Attempt in a store; `path` is its folder, relative to the store."""

    document: AttemptDocument
    path: str

    def iterate_todo(self) -> Iterator[int]:
        """Yield the numbers of the runs to do, in the order in which the batches take them."""
        if not self.document.spread:
            for first, end in self.document.todo:
                yield from range(first, end)
            return
        is_todo = np.zeros(self.document.runs, np.bool_)
        for first, end in self.document.todo:
            is_todo[first:end] = True
        runs = order_runs(self.document.axes)
        yield from map(int, runs[is_todo[runs]])

    @property
    def batches(self) -> Batches:
        """Batches of the runs to do; a local attempt has one."""
        todo = sum(end - first for first, end in self.document.todo)
        return Batches(todo, self.document.batch_size or max(todo, 1))


@dataclass(frozen=True)
class AttemptIdentity:
    """Namespace and name of the sweep of an attempt, hash of its plan, hash of the attempt."""

    namespace: str
    name: str
    plan: str
    attempt: str

    @property
    def path(self) -> str:
        """Folder of the attempt, relative to the store."""
        return layout.attempt_path(self.namespace, self.name, self.plan, self.attempt)


def write_attempt(
    store: Store,
    scratch: Path,
    identity: AttemptIdentity,
    runs: PlannedRuns,
    survey: Survey,
    now: datetime,
    batch_size: int | None = None,
    parts: tuple[SweepPart, ...] = (),
) -> StoredAttempt:
    """Write `plan.json` beside the keys in `scratch`, then move both into the folder of the attempt.

    Deletes the manifests of runs that have lost files, so that these runs do not exist any more.
    """
    document = AttemptDocument(
        name=identity.name,
        namespace=identity.namespace,
        plan=identity.plan,
        attempt=identity.attempt,
        engine_version=ENGINE_VERSION,
        total=survey.total,
        excluded=survey.excluded,
        cached=survey.cached_runs,
        todo=survey.todo,
        batch_size=batch_size,
        spread=batch_size is not None,
        axes=to_axis_documents(runs.axes),
        parts=parts,
        categories=number_categories(runs.categories),
        card=runs.card,
        recipe=replace_infinities(runs.base),
        created=now,
    )
    store.remove_files(map(layout.manifest_path, survey.lost))
    (scratch / layout.PLAN).write_bytes(document.to_json())
    store.place_folder(scratch, identity.path)
    return StoredAttempt(document, identity.path)


def to_axis_documents(axes: Iterable[Axis | AxisDocument]) -> tuple[AxisDocument, ...]:
    """Return axes as documents hold them."""
    return tuple(AxisDocument(path=axis.path, values=tuple(axis.values), zipped=axis.zipped) for axis in axes)


def open_attempt(store: Store, path: str) -> StoredAttempt:
    """Read an attempt. Raises DocumentError that names a missing, invalid or truncated file."""
    file, keys = f"{path}/{layout.PLAN}", f"{path}/{layout.KEYS}"
    try:
        document = parse_document(AttemptDocument, store.read(file), store.format_uri(file))
        size = store.read_size(keys)
    except OSError as error:
        raise DocumentError(
            f"{store.format_uri(path)}: the attempt cannot be read ({error.strerror}); remove it"
        ) from error
    if size != document.runs * layout.KEY_BYTES:
        raise DocumentError(f"{store.format_uri(keys)}: does not hold {document.runs} keys; remove the attempt")
    return StoredAttempt(document, path)


def open_committed_attempt(store: Store, dataset: DatasetDocument) -> StoredAttempt:
    """Read the attempt of a dataset. Raises DocumentError, InputError for a folder outside the store."""
    folder = check_stored_path(dataset.folder)
    try:
        return open_attempt(store, folder)
    except DocumentError as error:
        pointer = store.format_uri(layout.pointer_path(dataset.namespace, dataset.name))
        problem = str(error).partition("; ")[0]
        raise DocumentError(f"{problem}; remove {pointer}, and {WRITE_POINTER}") from error


def list_attempts(store: Store, namespace: str, name: str) -> list[str]:
    """Return the folders of all attempts of a sweep, relative to the store, sorted."""
    sweep = layout.sweep_path(namespace, name)
    plans = [f"{sweep}/{plan.name}" for plan in store.list_children(sweep) if plan.is_folder]
    return sorted(
        f"{plan}/{attempt.name}" for plan in plans for attempt in store.list_children(plan) if attempt.is_folder
    )


def iterate_keys(store: Store, path: str) -> Iterator[bytes]:
    """Yield the run keys of an attempt in run order, 32 bytes each; zeros for an excluded run."""
    for part in _iterate_parts(store, path):
        yield from (part[first : first + layout.KEY_BYTES] for first in range(0, len(part), layout.KEY_BYTES))


def read_keys(store: Store, path: str) -> NDArray[np.bytes_]:
    """Return the run keys (N,) of an attempt in run order, of type S32; as `iterate_keys` in a third of its memory."""
    keys = bytearray()
    for part in _iterate_parts(store, path):
        keys += part
    return np.frombuffer(keys, f"S{layout.KEY_BYTES}")


def _iterate_parts(store: Store, path: str) -> Iterator[bytes]:
    start = 0
    while part := store.read_part(f"{path}/{layout.KEYS}", start, _MAX_KEYS_PER_READ * layout.KEY_BYTES):
        yield part
        start += len(part)


def read_first_key(store: Store, path: str) -> bytes | None:
    """Return the key of the first run of an attempt that is not excluded; None if there is none."""
    return next((key for key in iterate_keys(store, path) if any(key)), None)


def read_key(store: Store, path: str, run: int) -> bytes:
    """Return the key of one run, 32 bytes."""
    return store.read_part(f"{path}/{layout.KEYS}", run * layout.KEY_BYTES, layout.KEY_BYTES)


def find_dataset(store: Store, namespace: str, name: str) -> DatasetDocument | None:
    """Return the committed dataset of a sweep; None if there is none. Raises DocumentError for an invalid document."""
    pointer = layout.pointer_path(namespace, name)
    try:
        return parse_document(
            DatasetDocument, store.read(pointer), store.format_uri(pointer), f"remove it, and {WRITE_POINTER}"
        )
    except FileNotFoundError:
        return None
