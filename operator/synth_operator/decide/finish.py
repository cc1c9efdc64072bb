"""How an attempt ends."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from synth_api.reasons import FailureReason, Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.synth_sweep import Phase, ResourceUsage, RunCounts, SweepStatus
from synth_operator.decide.limits import runs, too_many
from synth_operator.decide.outcome import Conclusion, changed, concluded
from synth_operator.decide.tally import failure_counts, first_failures, stage_seconds

if TYPE_CHECKING:
    from synth_api.jobs.messages import FinalizeMessage
    from synth_api.resources.synth_sweep import AttemptStatus
    from synth_operator.decide.context import View


def completed(view: View, status: SweepStatus, attempt: AttemptStatus, message: FinalizeMessage) -> Conclusion:
    """The dataset is committed: Complete, or Failed when the attempt was stopped or too many runs failed.

    Runs that are missing though nothing stopped the attempt belong to batches that Kubernetes gave up on.
    """
    lost = message.missing if attempt.verdict is None else 0
    reasons = Counter(message.reasons) + Counter({FailureReason.BATCH_FAILED: lost})
    counts = RunCounts(
        total=message.total,
        cached=message.cached,
        succeeded=message.succeeded,
        failed=message.failed + lost,
    )
    usage = ResourceUsage(
        seconds=stage_seconds(message.seconds),
        gpu_seconds_used=message.gpu_seconds_used,
        gpu_seconds_lost=message.gpu_seconds_lost,
        bytes=message.bytes,
    )
    status = changed(
        status,
        runs=counts,
        failures=first_failures(message.failures, status.failures)[: counts.failed],
        failure_reasons=failure_counts(reasons),
        usage=usage,
        dataset=message.dataset or status.dataset,
    )
    verdict = attempt.verdict or too_many(view.spec, counts.failed, counts.total)
    if verdict:
        return failed(view, status, verdict)
    ended = _ended(view, status)
    return concluded(ended, Phase.COMPLETE, Reason.COMPLETE, complete_text(ended))


def failed(view: View, status: SweepStatus, problem: Problem) -> Conclusion:
    """The sweep is given up, until its spec or retry token changes."""
    text = f"{problem.message} Change the spec or its retryToken to try again."
    return concluded(_ended(view, status), Phase.FAILED, problem.reason, text)


def complete_text(status: SweepStatus) -> str:
    """What a complete sweep amounts to."""
    counts = status.runs
    made = f"{counts.done} of {runs(counts.total)} exist" if counts.failed else f"{runs(counts.total)} exist"
    new = f"{counts.succeeded} new, {counts.cached} from before" if counts.cached else f"{counts.succeeded} new"
    bad = f"; {counts.failed} failed" if counts.failed else ""
    return f"{made}: {new}{bad}. Dataset: {status.dataset}"


def _ended(view: View, status: SweepStatus) -> SweepStatus:
    return changed(status, completion_time=view.now, runs=status.runs.model_copy(update={"active": 0}))
