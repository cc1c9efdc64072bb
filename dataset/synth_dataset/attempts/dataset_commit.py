"""Commit of an attempt: its runs become the dataset of the sweep; the pointer is replaced last."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from synth_api.errors import InputError, suggest_name
from synth_dataset.attempts.attempt import find_dataset
from synth_dataset.attempts.attempt_tables import AttemptTables, remove_batch_tables
from synth_dataset.attempts.file_check import FileCheck
from synth_dataset.attempts.run_stream import survey_runs
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import build_categories, name_members
from synth_dataset.documents.dataset_document import DatasetDocument
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.remedies import RENDER_RUN
from synth_dataset.memory import release_memory
from synth_dataset.statistics.statistics_page import write_statistics
from synth_dataset.store.checksums import hash_files
from synth_dataset.store.folder_store import StoreFullError
from synth_dataset.views.dataset_views import VIEWS, view_run
from synth_dataset.views.index import write_index
from synth_dataset.views.pooled_table import PooledTable, pool_runs
from synth_dataset.views.progress import ignore_progress, report_each, report_to
from synth_dataset.views.root_digest import RootDigest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.documents.attempt_document import AttemptDocument
    from synth_dataset.documents.failed_run import FailedRun
    from synth_dataset.store.base import Store
    from synth_dataset.views.dataset_run import DatasetRun, ViewedRun
    from synth_dataset.views.dataset_views import View
    from synth_dataset.views.index import IndexTotals
    from synth_dataset.views.progress import Progress

_log = logging.getLogger(__name__)

DATASET_VIEWS: Final[tuple[View, ...]] = (*VIEWS, write_statistics)
MAX_VIEWED_RUNS: Final = 2000
"""Number of runs in coco.json at most, and of runs whose masks a gallery page shows that is opened from disk."""


def commit_dataset(
    store: Store,
    attempt: StoredAttempt,
    failures: Sequence[FailedRun],
    views: Sequence[View] = DATASET_VIEWS,
    progress: Progress = ignore_progress,
    least_runs: int = 0,
) -> DatasetDocument:
    """Write the documents of an attempt, then replace the pointer of the sweep.

    Memory: failures, MAX_VIEWED_RUNS rows, a row group, and some bytes a run for statistics and for the footers of
    tables, 16 of one whose batch keeps its particle table, and 57 of a packed one.
    A run that has lost a file is missing: a warning names it, and its manifest is removed. Raises StoreFullError,
    DocumentError, also for fewer than `least_runs` runs, and what `progress` raises; the previous dataset stays then.
    """
    absent = {failure.number: failure for failure in sorted(failures, key=lambda failure: failure.number)}
    with store.open_scratch("dataset") as scratch, _read_manifests_together(store), _explain_missing_files():
        gathered = _GatheredRuns(bool(attempt.document.categories), RootDigest(scratch))
        report = report_to(progress, "the dataset", attempt.document.total)
        files = FileCheck(store, attempt)
        release_memory()
        runs = _select_existing(report_each(survey_runs(store, attempt, files.has_files), report), absent)
        pooled = PooledTable(scratch)
        added = pool_runs(pooled, runs, store.max_requests, AttemptTables(store, attempt).read)
        totals = write_index(scratch / layout.INDEX, attempt.document.axes, map(gathered.add, added))
        pooled.write(scratch / layout.PARTICLES)
        _check_runs(store, attempt, totals.runs, least_runs)
        files.remove_lost_runs()
        document = _build_document(store, attempt, totals, tuple(absent.values()), gathered)
        for view in views:
            release_memory()
            view(scratch, gathered.viewed, attempt.document, document, progress)
        document = document.model_copy(update={"files": hash_files(scratch)})
        with _remove_unfinished_documents(store, document):
            for name in document.file_names:
                store.write_file(f"{attempt.path}/{name}", scratch / name)
            store.write(f"{attempt.path}/{layout.DATASET}", document.to_json())
            store.write(layout.pointer_path(document.namespace, document.name), document.to_json())
    remove_batch_tables(store, attempt)
    return document


@contextmanager
def _remove_unfinished_documents(store: Store, document: DatasetDocument) -> Iterator[None]:
    """Remove the documents that were written before the disk was full, unless they are those of the dataset."""
    try:
        yield
    except StoreFullError:
        before = _find_before(store, document.namespace, document.name)
        if before is None or before.folder != document.folder:
            store.remove_files(f"{document.folder}/{name}" for name in (*document.file_names, layout.DATASET))
        raise


def _check_runs(store: Store, attempt: StoredAttempt, runs: int, least_runs: int) -> None:
    if runs < least_runs:
        lost = f"{least_runs - runs:,} of its {least_runs:,} runs are missing or have lost files"
        remedy = "synth verify names them, and with --repair renders them again"
        raise DocumentError(f"{store.format_uri(attempt.path)}: {lost}, the dataset stays as it is; {remedy}")


@dataclass
class _GatheredRuns:
    """The first runs of a dataset, the root digest of all; blueprints of recipes if the plan has no categories."""

    has_categories: bool
    root: RootDigest
    viewed: list[ViewedRun] = field(default_factory=list)
    blueprints: set[str] = field(default_factory=set)

    def add(self, run: DatasetRun) -> DatasetRun:
        """Keep what views need of the run while there are fewer than MAX_VIEWED_RUNS; return the run."""
        self.root.add(run.manifest)
        if len(self.viewed) < MAX_VIEWED_RUNS:
            self.viewed.append(view_run(run))
            if not self.has_categories:
                recipe = run.store.read_recipe(run.manifest)
                self.blueprints.update(recipe.get("blueprints", {}).get("particles", ()))
        return run


def _select_existing(
    runs: Iterable[tuple[int, DatasetRun | None]], absent: dict[int, FailedRun]
) -> Iterator[DatasetRun]:
    """Yield the existing runs, remove them from `absent`; at last warn of those with keys of a later release."""
    later, keys, first = 0, set[str](), ""
    for number, run in runs:
        if run is None:
            continue
        absent.pop(number, None)
        if run.manifest.unknown:
            later, first = later + 1, first or f"run {number} ({run.manifest.key})"
            keys.update(run.manifest.unknown)
        yield run
    if later:
        others = f" and {later - 1:,} more" if later > 1 else ""
        _log.warning(
            "%s%s: a later release has written the manifest; its keys %s are not read",
            first,
            others,
            ", ".join(sorted(keys)),
        )


@contextmanager
def _read_manifests_together(store: Store) -> Iterator[None]:
    """Have a remote store read the manifests of packed runs shard by shard; in a folder it would copy them in vain."""
    if store.max_requests == 1:
        yield
        return
    with store.open_scratch("manifests") as folder, store.shards.collect_manifests(folder):
        yield


@contextmanager
def _explain_missing_files() -> Iterator[None]:
    """Raise DocumentError with a remedy for a missing file of a run."""
    try:
        yield
    except FileNotFoundError as error:
        raise DocumentError(f"{error.filename}: this file of a run is missing; {RENDER_RUN}") from error


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


def _find_creation(store: Store, attempt: AttemptDocument, root: str) -> datetime:
    """Return when the runs were first committed as the dataset of the sweep: now, unless they are its dataset."""
    before = _find_before(store, attempt.namespace, attempt.name)
    return before.created if before is not None and before.root == root else datetime.now(UTC)


def _find_before(store: Store, namespace: str, name: str) -> DatasetDocument | None:
    """Return the dataset that a sweep has; None if its document is damaged."""
    try:
        return find_dataset(store, namespace, name)
    except DocumentError:
        return None


def _build_document(
    store: Store,
    attempt: StoredAttempt,
    totals: IndexTotals,
    failures: tuple[FailedRun, ...],
    gathered: _GatheredRuns,
) -> DatasetDocument:
    """Return the document without its files."""
    plan, root = attempt.document, gathered.root.compute()
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
        files=(),
        root=root,
        views=min(totals.runs, MAX_VIEWED_RUNS),
        views_truncated=totals.runs > MAX_VIEWED_RUNS,
        categories=name_members(plan.categories) or build_categories(sorted(gathered.blueprints)),
        visible=totals.visible,
        recipe=plan.recipe,
        engine_version=plan.engine_version,
        **plan.card.model_dump(),
        created=_find_creation(store, plan, root),
    )
