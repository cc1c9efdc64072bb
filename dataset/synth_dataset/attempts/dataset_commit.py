"""The end of an attempt: its runs become a dataset, whose pointer is replaced last."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError, suggest_name
from synth_dataset.attempts.attempt import attempt_keys, committed
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import categories_of
from synth_dataset.documents.dataset_document import DatasetDocument
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.failed_run import FailedRun
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.views.dataset_run import DatasetRun
from synth_dataset.views.dataset_views import VIEWS
from synth_dataset.views.index import write_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.documents.attempt_document import AttemptDocument, Category
    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store
    from synth_dataset.views.dataset_views import View
    from synth_dataset.views.index import IndexTotals

VIEWED: Final = 2000
"""Runs that coco.json and the gallery hold at most."""


def commit_dataset(
    store: Store, attempt: StoredAttempt, failures: Sequence[FailedRun], views: Mapping[str, View] = VIEWS
) -> DatasetDocument:
    """Write the attempt's documents, then point the sweep at it. Memory: the views' samples and the failures.

    Raises StoreFullError and DocumentError; the dataset committed before then stays the sweep's.
    """
    samples: list[DatasetRun] = []
    absent = {failure.number: failure for failure in sorted(failures, key=lambda failure: failure.number)}
    with store.scratch("index") as scratch, _damage_explained():
        index = scratch / layout.INDEX
        totals = write_index(index, attempt.document.axes, _runs(store, attempt, samples, absent))
        store.write(f"{attempt.path}/{layout.INDEX}", index.read_bytes())
        categories = _categories(attempt.document, samples)
        document = _document(attempt, totals, tuple(absent.values()), categories, (layout.INDEX, *views))
        for name, view in views.items():
            store.write(f"{attempt.path}/{name}", view(samples, attempt.document, document))
        store.write(f"{attempt.path}/{layout.DATASET}", document.to_json())
        store.write(layout.pointer_path(document.namespace, document.name), document.to_json())
    return document


@contextmanager
def _damage_explained() -> Iterator[None]:
    """Turn a file that somebody has taken away from a run into a DocumentError."""
    try:
        yield
    except FileNotFoundError as error:
        problem = (
            "this file of a run is gone; the same synth render, or synth retry on a cluster, renders the run again"
        )
        raise DocumentError(f"{error.filename}: {problem}") from error


def open_dataset(store: Store, name: str | None = None, namespace: str = "local") -> DatasetDocument:
    """The committed dataset of a sweep; without a name there must be exactly one. Raises InputError."""
    sweeps = (sweep.name for sweep in store.children(f"{layout.SWEEPS}/{namespace}"))
    names = sorted(sweep for sweep in sweeps if store.exists(layout.pointer_path(namespace, sweep)))
    if name is None and len(names) != 1:
        several = f"holds {len(names)} datasets; choose one of {', '.join(names)}"
        raise InputError(store.location, several if names else "holds no dataset; run synth render first")
    chosen = names[0] if name is None else name
    document = committed(store, namespace, chosen)
    if document is None:
        raise InputError(store.location, f"holds no dataset '{chosen}'; {suggest_name(chosen, names)}")
    return document


def _runs(
    store: Store, attempt: StoredAttempt, samples: list[DatasetRun], absent: dict[int, FailedRun]
) -> Iterator[tuple[int, dict[str, Any], Manifest]]:
    """The runs that exist, in run order; fills `samples` with the first and takes from `absent` what is there."""

    def manifest_of(run: tuple[int, bytes]) -> tuple[int, Manifest | None]:
        number, key = run
        try:
            return number, store.manifest(key.hex())
        except KeyError:
            return number, None

    runs = ((number, key) for number, key in enumerate(attempt_keys(store, attempt.path)) if any(key))
    for number, manifest in read_ahead(manifest_of, runs, store.requests_at_once):
        if manifest is None:
            continue
        absent.pop(number, None)
        overrides = attempt.document.overrides(number)
        if len(samples) < VIEWED:
            link = f"{layout.root_link(attempt.path)}/{layout.run_path(manifest.key, manifest.c8)}"
            samples.append(DatasetRun(number, overrides, manifest, link, store))
        yield number, overrides, manifest


def _categories(plan: AttemptDocument, samples: Sequence[DatasetRun]) -> tuple[Category, ...]:
    """The plan's; that of an earlier release has none, so they are the blueprints of its runs in code-point order."""
    blueprints = (sample.manifest.recipe.get("blueprints", {}) for sample in samples)
    return plan.categories or categories_of(
        sorted({name for kinds in blueprints for name in kinds.get("particles", ())})
    )


def _document(
    attempt: StoredAttempt,
    totals: IndexTotals,
    failures: tuple[FailedRun, ...],
    categories: tuple[Category, ...],
    files: tuple[str, ...],
) -> DatasetDocument:
    plan = attempt.document
    cached = min(plan.cached, totals.runs)
    return DatasetDocument(
        name=plan.name,
        namespace=plan.namespace,
        plan=plan.plan,
        attempt=plan.attempt,
        folder=attempt.path,
        total=plan.total,
        cached=cached,
        succeeded=totals.runs - cached,
        failed=len(failures),
        missing=plan.total - totals.runs - len(failures),
        failures=failures,
        files=files,
        views=min(totals.runs, VIEWED),
        views_truncated=totals.runs > VIEWED,
        categories=categories,
        visible=totals.visible,
        created=datetime.now(UTC),
    )
