"""An attempt: which runs existed when it began and which were to do, written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from synth_api.errors import InputError
from synth_api.jobs.batches import Batches
from synth_api.recipe.run_key import EXCLUDED_KEY
from synth_api.version import ENGINE_VERSION
from synth_dataset.documents import layout
from synth_dataset.documents.dataset import AttemptDocument, DatasetDocument, SweepAxis, SweepPart, categories_of
from synth_dataset.documents.manifest import DocumentError, parse_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_dataset.store.base import Store

_KEYS_AT_ONCE: Final = 32_768
"""A request each, of 1 MiB."""


class Axis(Protocol):
    """An axis as `synth_api` has it."""

    @property
    def path(self) -> str:
        """Dotted path of the override."""

    @property
    def values(self) -> Sequence[Any]:
        """Its values, in order."""

    @property
    def zipped(self) -> bool:
        """Whether it moves together with the axis before it."""


class Runs(Protocol):
    """What a plan says of runs."""

    @property
    def axes(self) -> Sequence[Axis]:
        """Their axes, the last one fastest."""

    @property
    def particle_blueprints(self) -> Sequence[str]:
        """Names of all that they may have, in the order of the categories."""


class Sweep(Runs, Protocol):
    """What an attempt needs of a sweep."""

    @property
    def name(self) -> str:
        """Name of its dataset."""

    def keys(self) -> Iterator[bytes]:
        """Keys in run order, 32 bytes each."""

    def plan(self) -> str:
        """Hash of the plan, hexadecimal."""

    def words(self, run: int) -> str:
        """The overrides of a run as a sentence quotes them."""


@dataclass(frozen=True)
class Attempt:
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
class Identity:
    """Whose attempt it is, and its hashes."""

    namespace: str
    name: str
    plan: str
    attempt: str

    @property
    def path(self) -> str:
        """The attempt's folder."""
        return layout.attempt_path(self.namespace, self.name, self.plan, self.attempt)


@dataclass(frozen=True)
class Survey:
    """What a store has of a sweep: numbers of runs, and ranges of what is to do."""

    total: int
    excluded: int
    todo: tuple[tuple[int, int], ...]
    lost: tuple[str, ...] = ()
    """Keys of the runs to do that have a manifest and have lost files."""

    @property
    def todo_runs(self) -> int:
        """How many runs are to do."""
        return sum(end - first for first, end in self.todo)

    @property
    def cached(self) -> int:
        """How many runs exist."""
        return self.total - self.todo_runs


def write_keys(sweep: Sweep, file: Path) -> NDArray[np.bytes_]:
    """Write the sweep's keys to a file; returns them, of type S32. Memory: 32 bytes a run.

    Raises InputError where two runs have one key, and what `sweep.keys` raises.
    """
    with file.open("wb") as stream:
        stream.writelines(sweep.keys())
    keys = np.fromfile(file, f"S{layout.KEY_BYTES}")
    _refuse_same_runs(sweep, keys)
    return keys


def survey_keys(store: Store, keys: NDArray[np.bytes_]) -> Survey:
    """See which runs exist with their files; `keys` are of type S32. Memory: about 70 bytes a run more.

    Raises DocumentError as `Store.lost`.
    """
    excluded = keys == EXCLUDED_KEY
    present = store.present(keys)
    lost = np.zeros(len(keys), np.bool_)
    lost[present] = store.lost(keys[present])
    left_out = int(excluded.sum())
    todo = ranges(map(int, np.flatnonzero(~present & ~excluded | lost)))
    return Survey(len(keys) - left_out, left_out, todo, tuple(map(layout.key_text, keys[lost])))


def write_attempt(
    store: Store,
    scratch: Path,
    identity: Identity,
    runs: Runs,
    survey: Survey,
    now: datetime,
    batch_size: int | None = None,
    parts: tuple[SweepPart, ...] = (),
) -> Attempt:
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
    return Attempt(document, identity.path)


def written_axes(axes: Iterable[Axis]) -> tuple[SweepAxis, ...]:
    """Axes as a document holds them."""
    return tuple(SweepAxis(path=axis.path, values=tuple(axis.values), zipped=axis.zipped) for axis in axes)


def open_attempt(store: Store, path: str) -> Attempt:
    """Read an attempt. Raises DocumentError naming the file that is missing, broken or of the wrong length."""
    file, keys = f"{path}/{layout.PLAN}", f"{path}/{layout.KEYS}"
    try:
        document = parse_document(AttemptDocument, store.read(file), store.uri(file))
        size = store.size(keys)
    except OSError as error:
        raise DocumentError(f"{store.uri(path)}: the attempt cannot be read ({error.strerror}); remove it") from error
    if size != document.runs * layout.KEY_BYTES:
        raise DocumentError(f"{store.uri(keys)}: does not hold {document.runs} keys; remove the attempt")
    return Attempt(document, path)


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


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ascending numbers as ranges, first and last + 1."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return tuple(found)


def _refuse_same_runs(sweep: Sweep, keys: NDArray[np.bytes_]) -> None:
    """Raise InputError where two runs have one key: one picture would be two samples, perhaps one in each split."""
    runs = np.flatnonzero(keys != EXCLUDED_KEY)
    order = runs[np.argsort(keys[runs], kind="stable")]
    same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
    if len(same):
        one, other = (int(order[same[0] + step]) for step in (0, 1))
        raise InputError(
            "",
            f"runs {one} and {other} are the same picture, {sweep.words(one)} and {sweep.words(other)}; take one out",
        )
