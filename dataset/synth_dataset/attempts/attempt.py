"""An attempt: which runs existed when it began and which were to do, written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from synth_api.jobs.batches import Batches
from synth_api.version import ENGINE_VERSION
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import AttemptDocument, AxisDocument, SweepPart, categories_of
from synth_dataset.documents.dataset_document import DatasetDocument
from synth_dataset.documents.document import DocumentError, parse_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from synth_dataset.attempts.planned_sweep import PlannedAxis, PlannedRuns
    from synth_dataset.attempts.survey import Survey
    from synth_dataset.store.base import Store

_KEYS_AT_ONCE: Final = 32_768
"""A request each, of 1 MiB."""


@dataclass(frozen=True)
class StoredAttempt:
    """An attempt in a store; `path` is its folder relative to the store."""

    document: AttemptDocument
    path: str

    def todo(self) -> Iterator[int]:
        """Run numbers that were to do, ascending."""
        for first, end in self.document.todo:
            yield from range(first, end)

    @property
    def batches(self) -> Batches:
        """How what was to do falls into batches; on a laptop into one."""
        todo = sum(end - first for first, end in self.document.todo)
        return Batches(todo, self.document.batch_size or max(todo, 1))


@dataclass(frozen=True)
class AttemptIdentity:
    """Whose attempt it is, and its hashes."""

    namespace: str
    name: str
    plan: str
    attempt: str

    @property
    def path(self) -> str:
        """The attempt's folder."""
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
    """Write the plan beside the keys in `scratch` and make both the attempt.

    A run that has lost files exists no longer: its manifest goes.
    """
    document = AttemptDocument(
        name=identity.name,
        namespace=identity.namespace,
        plan=identity.plan,
        attempt=identity.attempt,
        engine_version=ENGINE_VERSION,
        total=survey.total,
        excluded=survey.excluded,
        cached=survey.cached,
        todo=survey.todo,
        batch_size=batch_size,
        axes=written_axes(runs.axes),
        parts=parts,
        categories=categories_of(runs.particle_blueprints),
        created=now,
    )
    store.remove_files(map(layout.manifest_path, survey.lost))
    (scratch / layout.PLAN).write_bytes(document.to_json())
    store.place(scratch, identity.path)
    return StoredAttempt(document, identity.path)


def written_axes(axes: Iterable[PlannedAxis]) -> tuple[AxisDocument, ...]:
    """Axes as a document holds them."""
    return tuple(AxisDocument(path=axis.path, values=tuple(axis.values), zipped=axis.zipped) for axis in axes)


def open_attempt(store: Store, path: str) -> StoredAttempt:
    """Read an attempt. Raises DocumentError naming the file that is missing, broken or of the wrong length."""
    file, keys = f"{path}/{layout.PLAN}", f"{path}/{layout.KEYS}"
    try:
        document = parse_document(AttemptDocument, store.read(file), store.uri(file))
        size = store.size(keys)
    except OSError as error:
        raise DocumentError(f"{store.uri(path)}: the attempt cannot be read ({error.strerror}); remove it") from error
    if size != document.runs * layout.KEY_BYTES:
        raise DocumentError(f"{store.uri(keys)}: does not hold {document.runs} keys; remove the attempt")
    return StoredAttempt(document, path)


def attempt_paths(store: Store, namespace: str, name: str) -> list[str]:
    """The folders of all attempts of a sweep, relative to the store."""
    sweep = layout.sweep_path(namespace, name)
    plans = [f"{sweep}/{plan.name}" for plan in store.children(sweep) if plan.is_folder]
    return sorted(f"{plan}/{attempt.name}" for plan in plans for attempt in store.children(plan) if attempt.is_folder)


def attempt_keys(store: Store, path: str) -> Iterator[bytes]:
    """The keys of an attempt's runs in run order, 32 bytes each, streamed; zeros for an excluded run."""
    start = 0
    while part := store.read_part(f"{path}/{layout.KEYS}", start, _KEYS_AT_ONCE * layout.KEY_BYTES):
        yield from (part[place : place + layout.KEY_BYTES] for place in range(0, len(part), layout.KEY_BYTES))
        start += len(part)


def attempt_key(store: Store, path: str, run: int) -> bytes:
    """The key of one run."""
    return store.read_part(f"{path}/{layout.KEYS}", run * layout.KEY_BYTES, layout.KEY_BYTES)


def committed(store: Store, namespace: str, name: str) -> DatasetDocument | None:
    """The dataset a sweep's pointer names; None without one. Raises DocumentError when it does not parse."""
    pointer = layout.pointer_path(namespace, name)
    try:
        return parse_document(DatasetDocument, store.read(pointer), store.uri(pointer))
    except FileNotFoundError:
        return None
