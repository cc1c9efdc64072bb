"""A laptop's attempt: which runs existed when it began and which were to do, written once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from synth_api.key import canonical_json
from synth_dataset import layout
from synth_dataset.documents import AttemptDocument, DatasetDocument, SweepAxis
from synth_dataset.manifest import DocumentError, parse_document
from synth_dataset.store import entries, make_folders, sync_folder, write_durably

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from synth_dataset.store import FolderStore

UID: Final = "local"
"""Uid of every sweep on a laptop."""


class Axis(Protocol):
    """An axis as `synth_api` has it."""

    @property
    def path(self) -> str:
        """Dotted path of the override."""

    @property
    def values(self) -> Sequence[Any]:
        """Its values, in order."""


class Sweep(Protocol):
    """What an attempt needs of a sweep."""

    @property
    def name(self) -> str:
        """Stem of the recipe's file."""

    @property
    def axes(self) -> Sequence[Axis]:
        """Its axes, the last one fastest."""

    def keys(self) -> Iterator[bytes]:
        """Keys in run order, 32 bytes each."""

    def plan(self) -> str:
        """Hash of the plan, hexadecimal."""


@dataclass(frozen=True)
class Attempt:
    """An attempt in a store; `path` is its folder relative to the store."""

    document: AttemptDocument
    path: str

    def todo(self) -> Iterator[int]:
        """Run numbers that were to do, ascending."""
        for first, end in self.document.todo:
            yield from range(first, end)


def begin(store: FolderStore, sweep: Sweep, namespace: str = "local", now: datetime | None = None) -> Attempt | None:
    """Compare a sweep with a store and write the attempt; None when there is nothing to do and it is committed.

    Memory does not grow with the number of keys. Raises StoreFullError, and what `sweep.keys` raises.
    """
    plan = sweep.plan()
    with store.scratch(f"attempt-{plan[:8]}") as scratch:
        total, cached, todo = _survey(store, sweep.keys(), scratch / layout.KEYS)
        if not todo and _is_committed(store, namespace, sweep.name, plan):
            return None
        attempt = _free_hash(store, namespace, sweep.name, plan)
        document = AttemptDocument(
            name=sweep.name,
            namespace=namespace,
            plan=plan,
            attempt=attempt,
            total=total,
            cached=cached,
            todo=todo,
            axes=tuple(SweepAxis(path=axis.path, values=tuple(axis.values)) for axis in sweep.axes),
            created=now or datetime.now(UTC),
        )
        write_durably(scratch / layout.PLAN, document.to_json())
        path = layout.attempt_path(namespace, sweep.name, plan, attempt)
        make_folders((store.root / path).parent)
        scratch.chmod(0o755)
        scratch.rename(store.root / path)
        sync_folder((store.root / path).parent)
    return Attempt(document, path)


def open_attempt(store: FolderStore, path: str) -> Attempt:
    """Read an attempt. Raises DocumentError naming the file that is missing, broken or of the wrong length."""
    file = store.root / path / layout.PLAN
    try:
        document = parse_document(AttemptDocument, file.read_bytes(), file)
        size = (store.root / path / layout.KEYS).stat().st_size
    except OSError as error:
        raise DocumentError(f"{store.root / path}: the attempt cannot be read ({error.strerror}); remove it") from error
    if size != document.total * layout.KEY_BYTES:
        raise DocumentError(
            f"{store.root / path / layout.KEYS}: does not hold {document.total} keys; remove the attempt"
        )
    return Attempt(document, path)


def attempt_paths(store: FolderStore, namespace: str, name: str) -> list[str]:
    """The folders of all attempts of a sweep, relative to the store."""
    sweep = layout.sweep_path(namespace, name)
    return sorted(
        f"{sweep}/{plan.name}/{attempt.name}"
        for plan in entries(store.root / sweep)
        if plan.is_dir()
        for attempt in entries(store.root / sweep / plan.name)
        if attempt.is_dir()
    )


def attempt_keys(folder: Path) -> Iterator[bytes]:
    """The keys of an attempt's runs in run order, 32 bytes each, streamed."""
    with (folder / layout.KEYS).open("rb") as stream:
        while key := stream.read(layout.KEY_BYTES):
            yield key


def committed(store: FolderStore, namespace: str, name: str) -> DatasetDocument | None:
    """The dataset a sweep's pointer names; None without one. Raises DocumentError when it does not parse."""
    pointer = store.root / layout.pointer_path(namespace, name)
    try:
        return parse_document(DatasetDocument, pointer.read_bytes(), pointer)
    except FileNotFoundError:
        return None


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ascending numbers as ranges, first and last + 1."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return tuple(found)


def _survey(store: FolderStore, keys: Iterable[bytes], file: Path) -> tuple[int, int, tuple[tuple[int, int], ...]]:
    """Write the keys and see which runs exist: total, cached, ranges to do."""
    total = 0

    def missing() -> Iterator[int]:
        nonlocal total
        for key in keys:
            stream.write(key)
            if not store.has(key.hex()):
                yield total
            total += 1

    with file.open("wb") as stream:
        todo = ranges(missing())
    sync_folder(file)
    return total, total - sum(end - first for first, end in todo), todo


def _is_committed(store: FolderStore, namespace: str, name: str, plan: str) -> bool:
    dataset = committed(store, namespace, name)
    return dataset is not None and dataset.plan == plan and dataset.is_complete


def _free_hash(store: FolderStore, namespace: str, name: str, plan: str) -> str:
    """The hash of the next attempt. Its count begins at the attempts there are and skips names still taken."""
    count = len(attempt_paths(store, namespace, name))
    while True:
        attempt = sha256(canonical_json([UID, plan, "", count])).hexdigest()
        if not (store.root / layout.attempt_path(namespace, name, plan, attempt)).exists():
            return attempt
        count += 1
