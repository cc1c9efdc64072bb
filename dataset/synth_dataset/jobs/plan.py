"""The plan Job: it validates the sweep and the store, and writes the attempt, in seconds and without a GPU."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from synth_api.jobs.batches import Batches
from synth_api.jobs.messages import PlanMessage
from synth_api.reasons import Reason
from synth_dataset.attempts.attempt import AttemptIdentity, open_attempt, write_attempt
from synth_dataset.attempts.survey import survey_keys, write_keys
from synth_dataset.documents import layout
from synth_dataset.jobs.job_process import Job, check_engine, log_event, main, refuse_sweep

if TYPE_CHECKING:
    from synth_api.jobs.attempt_input import AttemptInput
    from synth_api.sweep.definition import Sweep
    from synth_dataset.attempts.attempt import StoredAttempt
    from synth_dataset.store.base import Store
    from synth_dataset.store.s3_store import S3Store


def plan(given: AttemptInput, store: S3Store) -> PlanMessage:
    """Compose the sweep, check the store, survey the runs, write the attempt. Raises NeverError, StoreError."""
    start = time.monotonic()
    check_engine(given)
    with refuse_sweep(Reason.SWEEP_INVALID):
        sweep = given.build_sweep()
    log_event("the sweep is valid", runs=sweep.count)
    store.check()
    log_event("the store can be used", store=store.location)
    attempt = begin_attempt(store, sweep, given)
    document, batches = attempt.document, attempt.batches
    return PlanMessage(
        total=document.total,
        cached=document.cached,
        todo=batches.todo,
        batch_size=batches.size,
        batches=batches.count,
        seconds=round(time.monotonic() - start, 3),
    )


def begin_attempt(store: Store, sweep: Sweep, given: AttemptInput) -> StoredAttempt:
    """Write the attempt of this input, or read that of an earlier pod. Raises NeverError, StoreError."""
    identity = AttemptIdentity(given.namespace, given.name, given.plan, given.attempt)
    if store.exists(f"{identity.path}/{layout.PLAN}"):
        log_event("the attempt is written already", path=identity.path)
        return open_attempt(store, identity.path)
    with store.open_scratch("attempt") as scratch:
        with refuse_sweep(Reason.SWEEP_INVALID):
            keys = write_keys(sweep, scratch / layout.KEYS)
        survey = survey_keys(store, keys)
        log_event("the runs are looked for", existing=survey.cached_runs, lost_files=len(survey.lost))
        size = Batches.split(survey.todo_runs, given.parallelism, given.batch_size, given.packaging).size
        return write_attempt(store, scratch, identity, sweep, survey, datetime.now(UTC), size)


JOB = Job("plan", plan, lambda problem: PlanMessage(problem=problem))

if __name__ == "__main__":
    main(JOB)
