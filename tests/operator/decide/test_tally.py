from datetime import UTC, datetime
from typing import Any

from synth_api.jobs.batches import Batches
from synth_api.jobs.messages import BatchMessage, JobKind
from synth_api.resources.synth_sweep import AttemptStatus, RunCounts, RunFailure, SettledShards, SweepStatus
from synth_operator.decide.tally import count_runs, select_first_failures, settle_shard
from synth_operator.kube.completion_indexes import CompletionIndexes
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.pod_object import PodObject

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BATCHES = Batches(todo=25, size=10)


def job(completed: str = "") -> JobObject:
    return JobObject(
        name="r0",
        uid="1",
        owner="s",
        sweep="beads",
        kind=JobKind.RENDER,
        attempt="a",
        shard=0,
        hash="",
        inputs="",
        created=NOON,
        completed_indexes=CompletionIndexes.parse(completed),
        ready=2,
    )


def pod(batch: int, **message: Any) -> PodObject:
    report = BatchMessage(batch=batch, size=10, **message)
    return PodObject(
        name="p", job="r0", owner="1", kind="render", index=batch, phase="Failed", created=NOON, message=report
    )


def count(status: SweepStatus, completed: str, *pods: PodObject, attempt: AttemptStatus | None = None) -> SweepStatus:
    return count_runs(
        status, attempt or AttemptStatus(hash="a", todo=25, batch_size=10), BATCHES, [job(completed)], pods
    )


def test_a_completed_index_counts_all_runs_of_its_batch() -> None:
    runs = count(SweepStatus(), "0,2").runs

    assert (runs.succeeded, runs.failed, runs.active) == (15, 0, 2)


def test_messages_count_for_batches_that_are_not_complete() -> None:
    runs = count(SweepStatus(), "0", pod(1, succeeded=4, failed=1)).runs

    assert (runs.succeeded, runs.failed) == (14, 1)


def test_failed_runs_of_a_completed_index_are_not_counted_as_succeeded() -> None:
    runs = count(SweepStatus(), "0", pod(0, succeeded=8, failed=2)).runs

    assert (runs.succeeded, runs.failed) == (8, 2)


def test_a_batch_of_several_pods_counts_once() -> None:
    runs = count(SweepStatus(), "", pod(0, succeeded=3), pod(0, succeeded=7, failed=1)).runs

    assert (runs.succeeded, runs.failed) == (7, 1)


def test_counts_stay_after_the_deletion_of_a_pod() -> None:
    before = count(SweepStatus(), "0", pod(0, succeeded=8, failed=2), pod(1, succeeded=5))

    after = count(before, "0")

    assert (after.runs.succeeded, after.runs.failed) == (13, 2)


def test_counts_never_exceed_the_total_after_a_lost_message() -> None:
    before = count(SweepStatus(), "", pod(0, succeeded=1, failed=2))

    after = count(before, "0")

    assert (after.runs.succeeded, after.runs.failed) == (8, 2)


def test_settled_shards_are_added_to_the_current_one() -> None:
    base = AttemptStatus(hash="a", todo=25, batch_size=10, settled=SettledShards(succeeded=100, failed=3))

    runs = count(SweepStatus(), "0", attempt=base).runs

    assert (runs.succeeded, runs.failed) == (110, 3)


def test_settling_a_shard_keeps_its_counts() -> None:
    status = SweepStatus(runs=RunCounts(succeeded=20, failed=2))

    after = settle_shard(status, AttemptStatus(hash="a", todo=25, batch_size=10)).attempt

    assert after
    assert (after.settled.shards, after.settled.succeeded, after.settled.failed) == (1, 20, 2)


def test_the_failures_with_the_lowest_run_numbers_are_kept_once_each() -> None:
    many = [RunFailure(run=run, reason="X") for run in range(30, 0, -1)]

    assert [failure.run for failure in select_first_failures(many, many)] == list(range(1, 21))


def test_kinds_of_gpus_are_each_named_once_and_the_first_eight_stay() -> None:
    h200, l4 = "NVIDIA H200 (sm_90), CUDA", "NVIDIA L4 (sm_89), OptiX"
    status = count(SweepStatus(), "", pod(0, devices=(h200,)), pod(1, devices=(l4, h200)))
    assert status.devices == (h200, l4)

    forged = [pod(batch, devices=tuple(f"{batch}.{number}" for number in range(4))) for batch in range(3)]
    status = count(status, "", *forged)
    assert status.devices[:2] == (h200, l4)
    assert len(status.devices) == 8


def test_start_up_counts_also_before_a_run_has_ended() -> None:
    before = count(SweepStatus(), "", pod(0, gpu_seconds_startup=700.0))
    later = count(before, "", pod(0, gpu_seconds_startup=1400.0), pod(0, gpu_seconds_startup=700.0))

    assert before.usage.gpu_seconds_startup == 700.0
    assert later.usage.gpu_seconds_startup == 1400.0


def test_pods_that_start_up_run_too() -> None:
    starting = PodObject(
        name="p", job="r0", owner="1", kind="render", index=0, phase="Running", created=NOON, startup_time=NOON
    )
    assert count(SweepStatus(), "", starting).runs.active == 3
