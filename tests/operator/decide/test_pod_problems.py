from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

from synth_api.jobs.messages import JobKind
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.output import Output, SecretRef
from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
from synth_operator.decide.context import Context
from synth_operator.decide.pod_problems import find_pod_problem
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.pod_object import PodObject

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CRASHES = 5
"""Pods that crash before a Job with two retries is reported."""
JOB = JobObject(
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
)


def crashed_pods(count: int) -> list[PodObject]:
    return [
        PodObject(
            name=f"p{number}",
            job="r0",
            owner="1",
            kind="render",
            index=number,
            phase="Failed",
            created=NOON,
            exit_code=137,
            finish_time=NOON + timedelta(seconds=number),
        )
        for number in range(count)
    ]


def problem_of(pods: list[PodObject]) -> Problem | None:
    context = SimpleNamespace(
        sweep=SimpleNamespace(generation=1),
        observed=SimpleNamespace(warnings=()),
        spec=SweepSpec(retries_per_run=2),
        previous_status=SweepStatus(),
        default_output=Output(endpoint="store:9000", bucket="lab", secret_ref=SecretRef(name="dataset-store")),
        now=NOON + timedelta(minutes=1),
        find_pods=lambda *jobs: tuple(pods),
    )
    return find_pod_problem(cast("Context", context), SweepStatus(), JOB)


def test_crashes_beyond_the_retries_of_a_run_are_reported() -> None:
    assert problem_of(crashed_pods(CRASHES - 1)) is None
    problem = problem_of(crashed_pods(CRASHES))
    assert problem
    assert problem.reason is Reason.WORKER_FAILED


def test_disrupted_pods_are_no_crashes() -> None:
    first, *others = crashed_pods(CRASHES)
    assert problem_of([replace(first, is_disrupted=True), *others]) is None


def test_a_secret_that_is_not_utf_8_is_named() -> None:
    waiting = PodObject(
        name="p",
        job="r0",
        owner="1",
        kind="render",
        index=0,
        phase="Pending",
        created=NOON,
        waiting_reason="CreateContainerError",
        waiting_message="rpc error: code = Internal desc = grpc: error while marshaling: string field contains "
        "invalid UTF-8",
    )
    assert problem_of([waiting]) == Problem(
        reason=Reason.ACCESS_DENIED,
        message="The store's credentials cannot be used: the value of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or "
        "AWS_SESSION_TOKEN in the Secret 'dataset-store' is not UTF-8; make the Secret again with kubectl create "
        "secret generic --from-literal.",
    )
