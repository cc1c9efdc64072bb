"""Count the runs of an attempt from Jobs and termination messages (docs/contracts.md, section 7)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from synth_api.jobs.messages import BatchMessage
from synth_api.resources.synth_sweep import (
    AttemptStatus,
    FailureCount,
    ResourceUsage,
    RunFailure,
    Settled,
    StageSeconds,
    SweepStatus,
)
from synth_operator.decide.outcome import changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_api.jobs.batches import Batches
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject

_MOST_FAILURES: Final = 20
_MOST_FAILURE_BYTES: Final = 32 * 1024
_MOST_REASONS: Final = 32
_LONGEST_WORD: Final = 64


def counted(
    status: SweepStatus,
    attempt: AttemptStatus,
    batches: Batches,
    jobs: Iterable[JobObject],
    pods: Iterable[PodObject],
) -> SweepStatus:
    """The status with what the Jobs of the current shard have come to.

    Messages die with their pods, so nothing ever sinks below what the status said of this attempt.
    """
    jobs, pods = tuple(jobs), tuple(pods)
    settled, before = attempt.settled, status.runs
    messages = _latest_messages(pods, batches.of_shard(settled.shards))
    finished = _finished(messages, _completed(jobs, batches.of_shard(settled.shards)), batches)
    failed = max(before.failed, settled.failed + sum(message.failed for message in messages.values()))
    finished = max(before.succeeded + before.failed, settled.succeeded + settled.failed + finished)
    reasons = Counter({count.reason: count.runs for count in settled.reasons})
    for message in messages.values():
        reasons.update(message.reasons)
    image = next((pod.image for pod in pods if pod.image), status.image)
    return changed(
        status,
        image=image,
        runs=before.model_copy(
            update={
                "failed": failed,
                "succeeded": max(0, finished - failed),
                "active": sum(job.ready for job in jobs if job.finish is None),
            }
        ),
        failures=first_failures(status.failures, *(message.failures for message in messages.values())),
        failure_reasons=_fuller(status.failure_reasons, failure_counts(reasons)),
        usage=_greater(status.usage, _sum(settled.usage, *map(_usage, messages.values()))),
    )


def settled(status: SweepStatus, attempt: AttemptStatus) -> SweepStatus:
    """The status with the current shard counted for good."""
    base = Settled(
        shards=attempt.settled.shards + 1,
        succeeded=status.runs.succeeded,
        failed=status.runs.failed,
        reasons=status.failure_reasons,
        usage=status.usage,
    )
    return changed(status, attempt=attempt.model_copy(update={"settled": base}))


def first_failures(*groups: Iterable[RunFailure]) -> tuple[RunFailure, ...]:
    """The first failed runs by number, each once, as many as a status may hold."""
    by_run = {failure.run: failure for group in groups for failure in group}
    chosen: list[RunFailure] = []
    size = 0
    for run in sorted(by_run)[:_MOST_FAILURES]:
        size += len(json.dumps(by_run[run].model_dump(mode="json")))
        if size > _MOST_FAILURE_BYTES:
            break
        chosen.append(by_run[run])
    return tuple(chosen)


def failure_counts(reasons: Mapping[str, int]) -> tuple[FailureCount, ...]:
    """Failed runs by reason, the most frequent first."""
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FailureCount(reason=reason[:_LONGEST_WORD], runs=runs) for reason, runs in ranked[:_MOST_REASONS])


def stage_seconds(seconds: Mapping[str, float]) -> tuple[StageSeconds, ...]:
    """Seconds by stage, by name."""
    stages = sorted(seconds.items())[:_MOST_REASONS]
    return tuple(StageSeconds(stage=stage[:_LONGEST_WORD], seconds=round(value, 1)) for stage, value in stages)


def _latest_messages(pods: Iterable[PodObject], batches: range) -> dict[int, BatchMessage]:
    """Of each batch the message that knows most: each tells of all the pods before it."""
    messages: dict[int, BatchMessage] = {}
    for pod in pods:
        message = pod.message
        if isinstance(message, BatchMessage) and message.batch in batches:
            known = messages.get(message.batch)
            if known is None or _knows(message) > _knows(known):
                messages[message.batch] = message
    return messages


def _knows(message: BatchMessage) -> int:
    return message.succeeded + message.failed


def _completed(jobs: Iterable[JobObject], batches: range) -> set[int]:
    return {batches[index] for job in jobs for index in job.completed}


def _finished(messages: Mapping[int, BatchMessage], completed: set[int], batches: Batches) -> int:
    whole = sum(len(batches.runs(batch)) for batch in completed)
    return whole + sum(_knows(message) for batch, message in messages.items() if batch not in completed)


def _usage(message: BatchMessage) -> ResourceUsage:
    return ResourceUsage(
        seconds=stage_seconds(message.seconds),
        gpu_seconds_used=message.gpu_seconds_used,
        gpu_seconds_lost=message.gpu_seconds_lost,
        bytes=message.bytes,
    )


def _sum(*usages: ResourceUsage) -> ResourceUsage:
    seconds: defaultdict[str, float] = defaultdict(float)
    for usage in usages:
        for stage in usage.seconds:
            seconds[stage.stage] += stage.seconds
    return ResourceUsage(
        seconds=stage_seconds(seconds),
        gpu_seconds_used=round(sum(usage.gpu_seconds_used for usage in usages), 1),
        gpu_seconds_lost=round(sum(usage.gpu_seconds_lost for usage in usages), 1),
        bytes=sum(usage.bytes for usage in usages),
    )


def _greater(one: ResourceUsage, other: ResourceUsage) -> ResourceUsage:
    """The one that knows of more work."""
    return max(one, other, key=lambda usage: sum(stage.seconds for stage in usage.seconds))


def _fuller(one: tuple[FailureCount, ...], other: tuple[FailureCount, ...]) -> tuple[FailureCount, ...]:
    return max(one, other, key=lambda counts: sum(count.runs for count in counts))
