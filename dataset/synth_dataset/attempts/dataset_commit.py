"""Commit of an attempt: its runs become the dataset of the sweep; the pointer is replaced last."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError, suggest_name
from synth_dataset.attempts.attempt import find_dataset, iterate_keys
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import build_categories
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

MAX_VIEWED_RUNS: Final = 2000
"""Number of runs in coco.json and on the gallery page at most."""


def commit_dataset(
    store: Store, attempt: StoredAttempt, failures: Sequence[FailedRun], views: Mapping[str, View] = VIEWS
) -> DatasetDocument:
    """Write the documents of an attempt, then replace the pointer of the sweep. Memory: MAX_VIEWED_RUNS runs, failures.

    Raises StoreFullError and DocumentError; the previous dataset stays committed then.
    """
    viewed: list[DatasetRun] = []
    absent = {failure.number: failure for failure in sorted(failures, key=lambda failure: failure.number)}
    with store.open_scratch("index") as scratch, _explain_missing_files():
        index = scratch / layout.INDEX
        totals = write_index(index, attempt.document.axes, _iterate_runs(store, attempt, viewed, absent))
        store.write(f"{attempt.path}/{layout.INDEX}", index.read_bytes())
        categories = _find_categories(attempt.document, viewed)
        document = _build_document(attempt, totals, tuple(absent.values()), categories, (layout.INDEX, *views))
        for name, view in views.items():
            store.write(f"{attempt.path}/{name}", view(viewed, attempt.document, document))
        store.write(f"{attempt.path}/{layout.DATASET}", document.to_json())
        store.write(layout.pointer_path(document.namespace, document.name), document.to_json())
    return document


@contextmanager
def _explain_missing_files() -> Iterator[None]:
    """Raise DocumentError with a remedy for a missing file of a run."""
    try:
        yield
    except FileNotFoundError as error:
        problem = (
            "this file of a run is missing; the same synth render, or synth retry on a cluster, renders the run again"
        )
        raise DocumentError(f"{error.filename}: {problem}") from error


def open_dataset(store: Store, name: str | None = None, namespace: str = "local") -> DatasetDocument:
    """Return the committed dataset of a sweep; without a name the only one of the store. Raises InputError."""
    sweeps = (sweep.name for sweep in store.list_children(f"{layout.SWEEPS}/{namespace}"))
    names = sorted(sweep for sweep in sweeps if store.exists(layout.pointer_path(namespace, sweep)))
    if name is None and len(names) != 1:
        several = f"holds {len(names)} datasets; choose one of {', '.join(names)}"
        raise InputError(store.location, several if names else "holds no dataset; run synth render first")
    chosen = names[0] if name is None else name
    document = find_dataset(store, namespace, chosen)
    if document is None:
        raise InputError(store.location, f"holds no dataset '{chosen}'; {suggest_name(chosen, names)}")
    return document


def _iterate_runs(
    store: Store, attempt: StoredAttempt, viewed: list[DatasetRun], absent: dict[int, FailedRun]
) -> Iterator[tuple[int, dict[str, Any], Manifest]]:
    """Yield the existing runs in run order; add the first ones to `viewed`, remove existing runs from `absent`."""

    def manifest_of(run: tuple[int, bytes]) -> tuple[int, Manifest | None]:
        number, key = run
        try:
            return number, store.read_manifest(key.hex())
        except KeyError:
            return number, None

    runs = ((number, key) for number, key in enumerate(iterate_keys(store, attempt.path)) if any(key))
    for number, manifest in read_ahead(manifest_of, runs, store.max_requests):
        if manifest is None:
            continue
        absent.pop(number, None)
        overrides = attempt.document.overrides(number)
        if len(viewed) < MAX_VIEWED_RUNS:
            link = f"{layout.root_link(attempt.path)}/{layout.run_path(manifest.key, manifest.c8)}"
            viewed.append(DatasetRun(number, overrides, manifest, link, store))
        yield number, overrides, manifest


def _find_categories(plan: AttemptDocument, runs: Sequence[DatasetRun]) -> tuple[Category, ...]:
    """Return the categories of the plan; a plan of an earlier release has none: take the sorted blueprints of runs."""
    blueprints = (run.manifest.recipe.get("blueprints", {}) for run in runs)
    return plan.categories or build_categories(
        sorted({name for kinds in blueprints for name in kinds.get("particles", ())})
    )


def _build_document(
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
        views=min(totals.runs, MAX_VIEWED_RUNS),
        views_truncated=totals.runs > MAX_VIEWED_RUNS,
        categories=categories,
        visible=totals.visible,
        created=datetime.now(UTC),
    )
