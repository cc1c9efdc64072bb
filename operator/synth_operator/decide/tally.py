"""Tally: counts of an attempt's runs from Jobs and termination messages (docs/contracts.md, section 7)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from synth_api.jobs.messages import BatchMessage
from synth_api.resources.synth_sweep import (
    MAX_DEVICES,
    AttemptStatus,
    FailureCount,
    ResourceUsage,
    RunFailure,
    SettledShards,
    StageSeconds,
    SweepStatus,
)
from synth_api.sentences import MAX_INTEGER
from synth_operator.decide.status_updates import update_attempt, update_runs, update_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from synth_api.jobs.batches import Batches
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject

_MAX_FAILURES: Final = 20
_MAX_FAILURES_BYTES: Final = 32 * 1024
_MAX_REASONS: Final = 32
_MAX_WORD_LENGTH: Final = 64


def count_runs(
    status: SweepStatus,
    attempt: AttemptStatus,
    batches: Batches,
    jobs: Iterable[JobObject],
    pods: Iterable[PodObject],
) -> SweepStatus:
    """Return the status with the counts from the Jobs and pods of the current shard.

    No count falls below its value in the status of this attempt, since messages disappear with their pods.
    """
    jobs, pods = tuple(jobs), tuple(pods)
    settled, before = attempt.settled, status.runs
    shard = batches.get_batches(settled.shards)
    messages = _find_latest_messages(pods, shard)
    failed = max(before.failed, settled.failed + sum(message.failed for message in messages.values()))
    finished = max(
        before.succeeded + before.failed,
        settled.succeeded
        + settled.failed
        + _count_finished_runs(messages, _list_completed_batches(jobs, shard), batches),
    )
    reasons = Counter({count.reason: count.runs for count in settled.reasons})
    for message in messages.values():
        reasons.update(message.reasons)
    return update_status(
        status,
        image=next((pod.image for pod in pods if pod.image), status.image),
        devices=merge_devices(status.devices, *(message.devices for message in messages.values())),
        runs=update_runs(
            before,
            failed=failed,
            succeeded=max(0, finished - failed),
            active=_count_running_pods(jobs, pods),
        ),
        failures=select_first_failures(status.failures, *(message.failures for message in messages.values())),
        failure_reasons=_select_more_runs(status.failure_reasons, rank_failure_reasons(reasons)),
        usage=_select_more_work(status.usage, _add_usages(settled.usage, *map(_read_usage, messages.values()))),
    )


def _count_running_pods(jobs: Iterable[JobObject], pods: Iterable[PodObject]) -> int:
    """Return the pods that run; Kubernetes calls those ready that are past their start-up."""
    return sum(job.ready for job in jobs if job.finish is None) + sum(pod.is_starting for pod in pods)


def settle_shard(status: SweepStatus, attempt: AttemptStatus) -> SweepStatus:
    """Return the status with the current shard's counts settled, so that its Job may be deleted."""
    settled = SettledShards(
        shards=attempt.settled.shards + 1,
        succeeded=status.runs.succeeded,
        failed=status.runs.failed,
        reasons=status.failure_reasons,
        usage=status.usage,
    )
    return update_status(status, attempt=update_attempt(attempt, settled=settled))


def merge_devices(*groups: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of GPUs, each once, those that are known first; at most as many as a status holds."""
    return tuple(dict.fromkeys(device for group in groups for device in group))[:MAX_DEVICES]


def select_first_failures(*groups: Iterable[RunFailure]) -> tuple[RunFailure, ...]:
    """Return the failures with the lowest run numbers, one per run: at most 20 and at most 32 KiB as JSON."""
    by_run = {failure.run: failure for group in groups for failure in group}
    selected: list[RunFailure] = []
    size = 0
    for run in sorted(by_run)[:_MAX_FAILURES]:
        size += len(json.dumps(by_run[run].model_dump(mode="json")))
        if size > _MAX_FAILURES_BYTES:
            break
        selected.append(by_run[run])
    return tuple(selected)


def rank_failure_reasons(reasons: Mapping[str, int]) -> tuple[FailureCount, ...]:
    """Return failed runs by reason, the most frequent reason first."""
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FailureCount(reason=reason[:_MAX_WORD_LENGTH], runs=runs) for reason, runs in ranked[:_MAX_REASONS])


def sort_stage_seconds(seconds: Mapping[str, float]) -> tuple[StageSeconds, ...]:
    """Return seconds by stage, sorted by the stage's name and rounded to 0.1 s."""
    stages = sorted(seconds.items())[:_MAX_REASONS]
    return tuple(StageSeconds(stage=stage[:_MAX_WORD_LENGTH], seconds=round(value, 1)) for stage, value in stages)


def _find_latest_messages(pods: Iterable[PodObject], batches: range) -> dict[int, BatchMessage]:
    """Return the latest message of each batch, the one with most runs: it counts those of all earlier pods too."""
    latest: dict[int, BatchMessage] = {}
    for pod in pods:
        message = pod.message
        if isinstance(message, BatchMessage) and message.batch in batches:
            known = latest.get(message.batch)
            if known is None or _rank_message(message) > _rank_message(known):
                latest[message.batch] = message
    return latest


def _rank_message(message: BatchMessage) -> tuple[int, float]:
    """Return what grows with each pod that worked on a batch."""
    return _count_reported_runs(message), message.gpu_seconds_startup


def _count_reported_runs(message: BatchMessage) -> int:
    return message.succeeded + message.failed


def _list_completed_batches(jobs: Iterable[JobObject], batches: range) -> set[int]:
    return {batches[index] for job in jobs for index in job.completed_indexes if index < len(batches)}


def _count_finished_runs(messages: Mapping[int, BatchMessage], completed: set[int], batches: Batches) -> int:
    """Return the finished runs: all runs of completed batches, and of the others as many as their messages report."""
    whole = sum(len(batches.get_runs(batch)) for batch in completed)
    return whole + sum(_count_reported_runs(message) for batch, message in messages.items() if batch not in completed)


def _read_usage(message: BatchMessage) -> ResourceUsage:
    return ResourceUsage(
        seconds=sort_stage_seconds(message.seconds),
        gpu_seconds_used=message.gpu_seconds_used,
        gpu_seconds_lost=message.gpu_seconds_lost,
        gpu_seconds_startup=message.gpu_seconds_startup or None,
        bytes=message.bytes,
    )


def _add_usages(*usages: ResourceUsage) -> ResourceUsage:
    seconds: defaultdict[str, float] = defaultdict(float)
    for usage in usages:
        for stage in usage.seconds:
            seconds[stage.stage] += stage.seconds
    return ResourceUsage(
        seconds=sort_stage_seconds(seconds),
        gpu_seconds_used=round(sum(usage.gpu_seconds_used for usage in usages), 1),
        gpu_seconds_lost=round(sum(usage.gpu_seconds_lost for usage in usages), 1),
        gpu_seconds_startup=round(sum(usage.gpu_seconds_startup or 0.0 for usage in usages), 1) or None,
        bytes=min(sum(usage.bytes for usage in usages), MAX_INTEGER),
    )


def _select_more_work(one: ResourceUsage, other: ResourceUsage) -> ResourceUsage:
    """Return the usage with more render seconds, or with more start-up if no run has ended since."""
    return max(one, other, key=_measure_work)


def _measure_work(usage: ResourceUsage) -> tuple[float, float]:
    return sum(stage.seconds for stage in usage.seconds), usage.gpu_seconds_startup or 0.0


def _select_more_runs(one: tuple[FailureCount, ...], other: tuple[FailureCount, ...]) -> tuple[FailureCount, ...]:
    """Return the counts with more failed runs."""
    return max(one, other, key=lambda counts: sum(count.runs for count in counts))
