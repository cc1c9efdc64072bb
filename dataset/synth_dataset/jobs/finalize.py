"""The finalize Job: the batches become the sweep's dataset, whose pointer is replaced last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from synth_api.jobs.messages import FinalizeMessage
from synth_api.reasons import Reason
from synth_dataset.attempts.attempt import AttemptIdentity, open_attempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.documents import layout
from synth_dataset.documents.batch_document import count_reasons, failure_entry
from synth_dataset.jobs.batch_totals import merge_batches
from synth_dataset.jobs.job_process import Job, check_engine, log, main, never

if TYPE_CHECKING:
    from synth_api.jobs.attempt_input import AttemptInput
    from synth_dataset.store.base import Store

_TOLD: Final = 100
"""Failed runs that a message of 4 kB could hold at most."""


def finalize(given: AttemptInput, store: Store) -> FinalizeMessage:
    """Merge the batches, find what is missing, commit what exists. Raises NeverError, DocumentError, StoreError."""
    check_engine(given)
    with never(Reason.PLAN_UNREADABLE):
        attempt = open_attempt(store, AttemptIdentity(given.namespace, given.name, given.plan, given.attempt).path)
    merged = merge_batches(store, attempt)
    log("the batches are merged", batches=attempt.batches.count, failed=len(merged.failures))
    dataset = commit_dataset(store, attempt, merged.failures)
    log("the dataset is committed", runs=dataset.runs, views=dataset.views, visible=dataset.visible)
    return FinalizeMessage(
        total=dataset.total,
        cached=dataset.cached,
        succeeded=dataset.succeeded,
        failed=dataset.failed,
        missing=dataset.missing,
        failures=tuple(map(failure_entry, dataset.failures[:_TOLD])),
        reasons=count_reasons(dataset.failures),
        seconds={stage: round(seconds, 3) for stage, seconds in merged.seconds.items()},
        gpu_seconds_used=round(merged.gpu_seconds_used, 3),
        gpu_seconds_lost=round(merged.gpu_seconds_lost, 3),
        bytes=merged.bytes,
        dataset=store.uri(layout.pointer_path(given.namespace, given.name)),
    )


JOB = Job("finalize", finalize, lambda problem: FinalizeMessage(problem=problem))

if __name__ == "__main__":
    main(JOB)
