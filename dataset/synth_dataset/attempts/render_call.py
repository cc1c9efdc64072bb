"""The beginning of a call of `synth render`: its sweep beside the store and the committed dataset of its name."""

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
    attempt_keys,
    attempt_paths,
    committed,
    open_attempt,
    write_attempt,
)
from synth_dataset.attempts.dataset_runs import alone, joined
from synth_dataset.attempts.live_attempts import contains, keys_of
from synth_dataset.attempts.survey import survey_keys, write_keys
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.attempts.dataset_runs import DatasetRuns
    from synth_dataset.attempts.planned_sweep import PlannedSweep
    from synth_dataset.attempts.survey import Survey
    from synth_dataset.documents.dataset_document import DatasetDocument
    from synth_dataset.documents.failed_run import FailedRun
    from synth_dataset.store.base import Store

UID: Final = "local"
"""Uid of every sweep on a laptop."""


class OtherRuns(Enum):
    """What to do when the committed dataset of the same name has runs that the sweep does not have."""

    REFUSE = "refuse the call"
    ADD = "join them with the sweep's runs"
    REPLACE = "leave them out of the dataset"


@dataclass(frozen=True)
class RenderCall:
    """A call that has something to render or to commit."""

    attempt: StoredAttempt
    survey: Survey
    """Of the sweep, by its own run numbers."""
    runs: DatasetRuns
    earlier_failures: tuple[FailedRun, ...] = ()
    """Of runs that the sweep does not have."""


def begin(
    store: Store,
    sweep: PlannedSweep,
    namespace: str = "local",
    now: datetime | None = None,
    others: OtherRuns = OtherRuns.REFUSE,
) -> RenderCall | None:
    """Compare a sweep with a store and write an attempt; None when there is nothing to render and it is committed.

    Raises InputError, with nothing written, for a committed dataset with other runs where `others` is REFUSE;
    StoreFullError; and what `sweep.keys` raises.
    """
    with store.scratch("attempt") as scratch:
        file = scratch / layout.KEYS
        own = write_keys(sweep, file)
        dataset = committed(store, namespace, sweep.name)
        runs = alone(sweep, own)
        failures: tuple[FailedRun, ...] = ()
        if dataset is not None and others is not OtherRuns.REPLACE and (count := _count(store, dataset, runs)):
            if others is OtherRuns.REFUSE:
                raise _refusal(dataset, count)
            runs, failures = _joined(store, dataset, sweep, own)
            runs.keys.tofile(file)
        survey = survey_keys(store, own)
        if not survey.todo and dataset is not None and dataset.plan == runs.plan and dataset.is_complete:
            return None
        identity = AttemptIdentity(
            namespace, sweep.name, runs.plan, _free_hash(store, namespace, sweep.name, runs.plan)
        )
        of_all = survey if runs.keys is own else survey_keys(store, runs.keys)
        attempt = write_attempt(store, scratch, identity, runs, of_all, now or datetime.now(UTC), parts=runs.parts)
        return RenderCall(attempt, survey, runs, failures)


def count_other_runs(store: Store, namespace: str, sweep: PlannedSweep, keys: NDArray[np.bytes_]) -> int:
    """How many existing runs of the committed dataset of a sweep's name are none of the sweep, whose keys these are.

    Raises DocumentError when the dataset's keys cannot be read.
    """
    dataset = committed(store, namespace, sweep.name)
    return _count(store, dataset, alone(sweep, keys)) if dataset is not None else 0


def check_other_runs(store: Store, call: RenderCall) -> None:
    """Raises InputError when another call has committed runs meanwhile that the dataset of this call lacks."""
    document = call.attempt.document
    dataset = committed(store, document.namespace, document.name)
    if dataset is not None and (count := _count(store, dataset, call.runs)):
        raise _refusal(dataset, count)


def _count(store: Store, dataset: DatasetDocument, runs: DatasetRuns) -> int:
    """How many existing runs of a dataset are none of `runs`."""
    if dataset.plan == runs.plan:
        return 0
    before = keys_of(store, [_open(store, dataset).path])
    others = before[~contains(np.unique(runs.keys), before)]
    return int(store.present(others).sum())


def _refusal(dataset: DatasetDocument, count: int) -> InputError:
    runs = "1 run" if count == 1 else f"{count:,} runs"
    return InputError(
        dataset.name,
        f"the dataset of this name has {runs} that this call does not have; --add joins them with this call's, "
        "--replace leaves them out, --name NAME makes another dataset",
    )


def _joined(
    store: Store, dataset: DatasetDocument, sweep: PlannedSweep, keys: NDArray[np.bytes_]
) -> tuple[DatasetRuns, tuple[FailedRun, ...]]:
    """The runs of a dataset and of a sweep, and the dataset's failed runs that are none of the sweep."""
    before = _open(store, dataset)
    runs = joined(before.document, np.array(list(attempt_keys(store, before.path)), keys.dtype), sweep, keys)
    own = frozenset(runs.numbers.tolist())
    return runs, tuple(failure for failure in dataset.failures if failure.number not in own)


def _open(store: Store, dataset: DatasetDocument) -> StoredAttempt:
    """The attempt of a committed dataset. Raises DocumentError."""
    try:
        return open_attempt(store, dataset.folder)
    except DocumentError as error:
        raise DocumentError(f"{error}; --replace makes the runs of this call the dataset") from error


def _free_hash(store: Store, namespace: str, name: str, plan: str) -> str:
    """The hash of the next attempt. Its count begins at the attempts there are and skips names still taken."""
    count = len(attempt_paths(store, namespace, name))
    while True:
        attempt = hash_attempt(UID, plan, "", count)
        if not store.exists(f"{layout.attempt_path(namespace, name, plan, attempt)}/{layout.PLAN}"):
            return attempt
        count += 1
