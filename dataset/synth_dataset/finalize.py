"""The end of an attempt: its runs become a dataset, whose pointer is replaced last."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError, nearest
from synth_dataset import layout
from synth_dataset.attempt import attempt_keys, committed
from synth_dataset.documents import DatasetDocument, FailedRun
from synth_dataset.index import write_index
from synth_dataset.manifest import DocumentError
from synth_dataset.store import entries, full_disk_explained
from synth_dataset.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from synth_dataset.attempt import Attempt
    from synth_dataset.manifest import Manifest
    from synth_dataset.store import FolderStore
    from synth_dataset.views import View

VIEWED: Final = 2000
"""Runs that coco.json and the gallery hold at most."""


@dataclass(frozen=True)
class Sample:
    """A run of the dataset as the views see it."""

    number: int
    overrides: Mapping[str, Any]
    manifest: Manifest
    folder: Path
    """Its files on this machine."""
    link: str
    """Its folder relative to the attempt's, so that a page opens from disk."""


def commit_dataset(
    store: FolderStore, attempt: Attempt, failures: Sequence[FailedRun], views: Mapping[str, View] = VIEWS
) -> DatasetDocument:
    """Write the attempt's documents, then point the sweep at it. Memory: the views' samples and the failures.

    Raises StoreFullError and DocumentError; the dataset committed before then stays the sweep's.
    """
    folder = store.root / attempt.path
    samples: list[Sample] = []
    with full_disk_explained(store.root), _damage_explained():
        with store.scratch("index") as scratch:
            index = scratch / layout.INDEX
            rows = write_index(index, attempt.document.axes, _runs(store, attempt, samples))
            store.write(f"{attempt.path}/{layout.INDEX}", index.read_bytes())
        still = tuple(sorted(_absent(store, folder, failures), key=lambda run: run.number))
        for name, view in views.items():
            store.write(f"{attempt.path}/{name}", view(samples, attempt.document, still, rows))
        document = _document(attempt, rows, still, (layout.INDEX, *views))
        store.write(f"{attempt.path}/{layout.DATASET}", document.to_json())
        store.write(layout.pointer_path(document.namespace, document.name), document.to_json())
    return document


@contextmanager
def _damage_explained() -> Iterator[None]:
    """Turn a file that somebody has taken away from a run into a DocumentError."""
    try:
        yield
    except FileNotFoundError as error:
        problem = "this file of a run is gone; remove the run's manifest and call again: that renders it anew"
        raise DocumentError(f"{error.filename}: {problem}") from error


def open_dataset(store: FolderStore, name: str | None = None, namespace: str = "local") -> DatasetDocument:
    """The committed dataset of a sweep; without a name there must be exactly one. Raises InputError."""
    folder = store.root / layout.SWEEPS / namespace
    names = sorted(sweep.name for sweep in entries(folder) if (folder / sweep.name / layout.DATASET).exists())
    if name is None and len(names) != 1:
        several = f"holds {len(names)} datasets; choose one of {', '.join(names)}"
        raise InputError(str(store.root), several if names else "holds no dataset; run synth render first")
    chosen = names[0] if name is None else name
    document = committed(store, namespace, chosen)
    if document is None:
        raise InputError(str(store.root), f"holds no dataset '{chosen}'; {nearest(chosen, names)}")
    return document


def _runs(
    store: FolderStore, attempt: Attempt, samples: list[Sample]
) -> Iterator[tuple[int, dict[str, Any], Manifest]]:
    """The runs that exist, in run order; fills `samples` with the first of them."""
    for number, key in enumerate(attempt_keys(store.root / attempt.path)):
        try:
            manifest = store.manifest(key.hex())
        except KeyError:
            continue
        overrides = attempt.document.overrides(number)
        if len(samples) < VIEWED:
            link = "../" * len(attempt.path.split("/")) + layout.run_path(manifest.key, manifest.c8)
            samples.append(Sample(number, overrides, manifest, store.run_folder(manifest), link))
        yield number, overrides, manifest


def _absent(store: FolderStore, folder: Path, failures: Sequence[FailedRun]) -> Iterator[FailedRun]:
    """Failures whose run nobody else has made meanwhile."""
    with (folder / layout.KEYS).open("rb") as stream:
        for failure in failures:
            stream.seek(failure.number * layout.KEY_BYTES)
            if not store.has(stream.read(layout.KEY_BYTES).hex()):
                yield failure


def _document(attempt: Attempt, rows: int, failures: tuple[FailedRun, ...], files: tuple[str, ...]) -> DatasetDocument:
    plan = attempt.document
    cached = min(plan.cached, rows)
    return DatasetDocument(
        name=plan.name,
        namespace=plan.namespace,
        plan=plan.plan,
        attempt=plan.attempt,
        folder=attempt.path,
        total=plan.total,
        cached=cached,
        succeeded=rows - cached,
        failed=len(failures),
        missing=plan.total - rows - len(failures),
        failures=failures,
        files=files,
        views=min(rows, VIEWED),
        views_truncated=rows > VIEWED,
        created=datetime.now(UTC),
    )
