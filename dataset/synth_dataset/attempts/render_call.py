"""Start of a call of `synth render`: compare its sweep with the store and the committed dataset, write an attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_api.errors import InputError
from synth_api.jobs.attempt_input import hash_attempt
from synth_dataset.attempts.attempt import (
    AttemptIdentity,
    find_dataset,
    list_attempts,
    open_attempt,
    read_keys,
    write_attempt,
)
from synth_dataset.attempts.dataset_runs import join_sweep, take_sweep
from synth_dataset.attempts.live_attempts import collect_keys, contains_keys
from synth_dataset.attempts.survey import survey_keys, write_keys
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.attempts.dataset_runs import DatasetRuns
    from synth_dataset.attempts.planned_sweep import PlannedSweep
    from synth_dataset.attempts.survey import Survey
    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.documents.failed_run import FailedRun
    from synth_dataset.store.base import Store

UID: Final = "local"
"""Takes the place of a Kubernetes uid in the hash of a local attempt."""


class OtherRuns(Enum):
    """Treatment of runs of the committed dataset of the same name that the sweep does not have."""

    REFUSE = "refuse the call"
    ADD = "join them with the sweep's runs"
    REPLACE = "leave them out of the dataset"


@dataclass(frozen=True)
class RenderCall:
    """Call with runs to render or a dataset to commit."""

    attempt: StoredAttempt
    survey: Survey
    """Survey of the sweep, by the run numbers of the sweep."""
    runs: DatasetRuns
    earlier_failures: tuple[FailedRun, ...] = ()
    """Failed runs of the dataset that the sweep does not have."""


def begin_call(
    store: Store,
    sweep: PlannedSweep,
    namespace: str = "local",
    now: datetime | None = None,
    others: OtherRuns = OtherRuns.REFUSE,
    keys: Iterable[bytes] | None = None,
) -> RenderCall | None:
    """Compare a sweep with a store and write an attempt; return None if the dataset is committed and complete.

    `keys` replaces `sweep.keys()`. Raises InputError, with nothing written, for a committed dataset with other runs if
    `others` is REFUSE; StoreFullError; and the errors of `keys`.
    """
    with store.open_scratch("attempt") as scratch:
        file = scratch / layout.KEYS
        own_keys = write_keys(sweep, file, keys)
        dataset = find_dataset(store, namespace, sweep.name)
        runs = take_sweep(sweep, own_keys)
        failures: tuple[FailedRun, ...] = ()
        if dataset is not None and others is not OtherRuns.REPLACE and (count := _count_others(store, dataset, runs)):
            if others is OtherRuns.REFUSE:
                raise _to_input_error(dataset, count)
            runs, failures = _join_dataset(store, dataset, sweep, own_keys)
            runs.keys.tofile(file)
        survey = survey_keys(store, own_keys)
        if not survey.todo and dataset is not None and dataset.plan == runs.plan and dataset.is_complete:
            return None
        identity = AttemptIdentity(
            namespace, sweep.name, runs.plan, _find_free_hash(store, namespace, sweep.name, runs.plan)
        )
        full_survey = survey if runs.keys is own_keys else survey_keys(store, runs.keys)
        attempt = write_attempt(store, scratch, identity, runs, full_survey, now or datetime.now(UTC), parts=runs.parts)
        return RenderCall(attempt, survey, runs, failures)


def count_other_runs(store: Store, namespace: str, sweep: PlannedSweep, keys: NDArray[np.bytes_]) -> int:
    """Count the existing runs of the committed dataset that are not among `keys`, the keys of the sweep.

    Raises DocumentError if the keys of the dataset cannot be read.
    """
    dataset = find_dataset(store, namespace, sweep.name)
    return _count_others(store, dataset, take_sweep(sweep, keys)) if dataset is not None else 0


def check_other_runs(store: Store, call: RenderCall) -> None:
    """Raise InputError if another call has committed runs meanwhile that the dataset of this call lacks."""
    document = call.attempt.document
    dataset = find_dataset(store, document.namespace, document.name)
    if dataset is not None and (count := _count_others(store, dataset, call.runs)):
        raise _to_input_error(dataset, count)


def _count_others(store: Store, dataset: DatasetDocument, runs: DatasetRuns) -> int:
    """Count the existing runs of a dataset that are not among `runs`."""
    if dataset.plan == runs.plan:
        return 0
    before = collect_keys(store, [_open_attempt(store, dataset).path])
    others = before[~contains_keys(np.unique(runs.keys), before)]
    return int(store.find_present_runs(others).sum())


def _to_input_error(dataset: DatasetDocument, count: int) -> InputError:
    runs = "1 run" if count == 1 else f"{count:,} runs"
    return InputError(
        dataset.name,
        f"the dataset of this name has {runs} that this call does not have; --add joins them with this call's, "
        "--replace leaves them out, --name NAME makes another dataset",
    )


def _join_dataset(
    store: Store, dataset: DatasetDocument, sweep: PlannedSweep, keys: NDArray[np.bytes_]
) -> tuple[DatasetRuns, tuple[FailedRun, ...]]:
    """Return the runs of a dataset joined with a sweep, and its failed runs that the sweep does not have."""
    before = _open_attempt(store, dataset)
    runs = join_sweep(before.document, read_keys(store, before.path), sweep, keys)
    own = frozenset(runs.numbers.tolist())
    return runs, tuple(failure for failure in dataset.failures if failure.number not in own)


def _open_attempt(store: Store, dataset: DatasetDocument) -> StoredAttempt:
    """Open the attempt of a committed dataset. Raises DocumentError with a remedy."""
    try:
        return open_attempt(store, dataset.folder)
    except DocumentError as error:
        raise DocumentError(
            f"{str(error).partition('; ')[0]}; --replace makes the runs of this call the dataset"
        ) from error


def _find_free_hash(store: Store, namespace: str, name: str, plan: str) -> str:
    """Return the hash of the next attempt; its counter starts at the number of attempts and skips taken names."""
    count = len(list_attempts(store, namespace, name))
    while True:
        attempt = hash_attempt(UID, plan, "", count)
        if not store.exists(f"{layout.attempt_path(namespace, name, plan, attempt)}/{layout.PLAN}"):
            return attempt
        count += 1
