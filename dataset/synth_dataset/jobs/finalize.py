"""The finalize Job: it commits the runs of all batches as the dataset of the sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_api.jobs.messages import MAX_LISTED_DEVICES, FinalizeMessage
from synth_api.reasons import Reason
from synth_dataset.attempts.attempt import AttemptIdentity, open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import count_reasons, to_run_failure
from synth_dataset.jobs.batch_totals import merge_batches
from synth_dataset.jobs.job_process import Job, LoggedProgress, check_engine, log_event, main, refuse_sweep

if TYPE_CHECKING:
    from synth_api.jobs.attempt_input import AttemptInput
    from synth_dataset.store.base import Store

MAX_LISTED_FAILURES: Final = 100
"""More failed runs never fit into a termination message of 4,096 bytes."""


def finalize(given: AttemptInput, store: Store) -> FinalizeMessage:
    """Sum the batches, commit the existing runs as the dataset. Raises NeverError, DocumentError, StoreError."""
    check_engine(given)
    with refuse_sweep(Reason.PLAN_UNREADABLE):
        attempt = open_attempt(store, AttemptIdentity(given.namespace, given.name, given.plan, given.attempt).path)
    totals = merge_batches(store, attempt)
    log_event("the batches are merged", batches=attempt.batches.count, failed=len(totals.failures))
    dataset = commit_dataset(store, attempt, totals.failures, progress=LoggedProgress())
    log_event("the dataset is committed", runs=dataset.runs, views=dataset.views, visible=dataset.visible)
    return FinalizeMessage(
        total=dataset.total,
        cached=dataset.cached,
        succeeded=dataset.succeeded,
        failed=dataset.failed,
        missing=dataset.missing,
        failures=tuple(map(to_run_failure, dataset.failures[:MAX_LISTED_FAILURES])),
        reasons=count_reasons(dataset.failures),
        seconds={stage: round(seconds, 3) for stage, seconds in totals.seconds.items()},
        gpu_seconds_used=round(totals.gpu_seconds_used, 3),
        gpu_seconds_lost=round(totals.gpu_seconds_lost, 3),
        gpu_seconds_startup=round(totals.gpu_seconds_startup, 3),
        devices=tuple(totals.devices[:MAX_LISTED_DEVICES]),
        bytes=totals.bytes,
        dataset=store.format_uri(layout.pointer_path(given.namespace, given.name)),
    )


JOB = Job("finalize", finalize, lambda problem: FinalizeMessage(problem=problem))

if __name__ == "__main__":
    main(JOB)
