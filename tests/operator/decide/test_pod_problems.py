from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from controllers import build_controller

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import JOB_LABEL
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_api.resources.output import Output, SecretRef
from synth_api.resources.synth_sweep import SweepStatus
from synth_operator.decide.context import JobContext
from synth_operator.decide.pod_problems import find_pod_problem
from synth_operator.kube.api import Resource
from synth_operator.kube.events import JobWarning
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


def problem_of(pods: list[PodObject], warnings: tuple[JobWarning, ...] = ()) -> Problem | None:
    context = SimpleNamespace(
        owner=SimpleNamespace(generation=1),
        children=SimpleNamespace(warnings=warnings),
        retries=2,
        previous_status=SweepStatus(),
        output=Output(endpoint="store:9000", bucket="lab", secret_ref=SecretRef(name="dataset-store")),
        now=NOON + timedelta(minutes=1),
        find_pods=lambda *jobs: tuple(pods),
    )
    return find_pod_problem(cast("JobContext", context), SweepStatus(), JOB)


def test_crashes_beyond_the_retries_of_a_run_are_reported() -> None:
    assert problem_of(crashed_pods(CRASHES - 1)) is None
    problem = problem_of(crashed_pods(CRASHES))
    assert problem
    assert problem.reason is Reason.WORKER_FAILED


def test_disrupted_pods_are_no_crashes() -> None:
    first, *others = crashed_pods(CRASHES)
    assert problem_of([replace(first, is_disrupted=True), *others]) is None


def pending_pod(spec: dict[str, Any] | None = None, **status: Any) -> PodObject:
    metadata = {"name": "p", "creationTimestamp": "2026-05-01T12:00:00Z", "labels": {JOB_LABEL: "render"}}
    owner = build_controller(Resource.JOBS, "r0", "1")
    body = {"metadata": {**metadata, "ownerReferences": [owner]}, "spec": spec or {"nodeName": "n"}}
    return PodObject.from_json({**body, "status": {"phase": "Pending", **status}})


def waiting(name: str, reason: str, message: str = "") -> dict[str, Any]:
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}}


def unscheduled(reason: str, message: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": "PodScheduled", "status": "False", "reason": reason, "message": message}]}


PULL = 'Back-off pulling image "lab/none:1": ErrImagePull: lab/none:1: not found'
OWN = waiting("render", "PodInitializing")
AGENT = {"name": "agent", "state": {"running": {}}}


@pytest.mark.parametrize(
    ("pod", "sentence"),
    [
        (
            pending_pod(initContainerStatuses=[waiting("prepare", "ImagePullBackOff", PULL)], containerStatuses=[OWN]),
            "ImageUnavailable: The image of the render pod's container 'prepare' cannot be pulled: "
            "lab/none:1: not found.",
        ),
        (
            pending_pod(
                containerStatuses=[
                    waiting("agent", "CreateContainerError", "no such file"),
                    {"name": "render", "state": {}},
                ]
            ),
            "PodRefused: The render pod's container 'agent' does not start: no such file.",
        ),
        (
            pending_pod(containerStatuses=[waiting("render", "ErrImageNeverPull")]),
            "ImageUnavailable: The image of the render pod cannot be pulled: ErrImageNeverPull.",
        ),
        (
            pending_pod({}, **unscheduled("Unschedulable", '0/1 nodes: persistentvolumeclaim "c" not found.')),
            'Unschedulable: No node can take the render pod: 0/1 nodes: persistentvolumeclaim "c" not found.',
        ),
        (
            pending_pod({}, **unscheduled("SchedulerError", 'persistentvolumeclaim "c" not found')),
            'Unschedulable: No node can take the render pod: persistentvolumeclaim "c" not found.',
        ),
        (
            pending_pod({"schedulerName": "night-shift"}),
            "Unschedulable: The scheduler 'night-shift' has said nothing about the render pod for a minute.",
        ),
    ],
)
def test_whatever_keeps_a_pod_from_starting_is_named(pod: PodObject, sentence: str) -> None:
    problem = problem_of([pod])

    assert problem
    assert f"{problem.reason}: {problem.message}" == sentence


@pytest.mark.parametrize(
    "pod",
    [
        pending_pod({}, **unscheduled("SchedulingGated")),
        pending_pod({"schedulerName": "default-scheduler", "nodeName": "n"}),
        pending_pod(initContainerStatuses=[{"name": "prepare", "state": {"running": {}}}], containerStatuses=[OWN]),
        pending_pod(containerStatuses=[waiting("render", "ContainerCreating")]),
    ],
)
def test_a_pod_that_is_about_to_start_is_no_problem(pod: PodObject) -> None:
    assert problem_of([pod]) is None


def test_a_scheduler_has_a_minute() -> None:
    pod = pending_pod({"schedulerName": "default-scheduler"})

    assert problem_of([replace(pod, created=NOON + timedelta(seconds=1))]) is None


def test_a_pod_whose_init_container_fails_says_which() -> None:
    ended = {"terminated": {"exitCode": 3, "finishedAt": "2026-05-01T12:00:30Z"}}
    pods = [
        pending_pod(
            phase="Failed", initContainerStatuses=[{"name": "prepare", "state": ended}], containerStatuses=[OWN]
        )
    ]
    problem = problem_of([replace(pod, name=str(number)) for number in range(CRASHES) for pod in pods])

    assert problem
    assert problem.message == (
        "The render pod ended before it started (container 'prepare' ended with exit code 3); see its log."
    )


def test_the_state_of_a_pod_is_that_of_the_jobs_container_whatever_its_place() -> None:
    ended = {"terminated": {"exitCode": 75, "reason": "Error"}}
    pod = pending_pod(
        containerStatuses=[{"name": "agent", "state": {"running": {}}}, {"name": "render", "state": ended}]
    )

    assert pod.exit_code == 75


def warn(reason: str, message: str, seconds: int) -> JobWarning:
    return JobWarning("r0", reason, message, NOON + timedelta(seconds=seconds))


def test_a_warning_about_a_pod_counts_once_volumes_had_time_to_appear() -> None:
    creating = pending_pod(containerStatuses=[waiting("render", "ContainerCreating")])
    warnings = (warn("FailedMount", 'MountVolume.SetUp failed: secret "ca" not found', 5),)
    problem = problem_of([creating], warnings)

    assert problem
    assert problem.message == 'The render pod does not start: MountVolume.SetUp failed: secret "ca" not found.'
    late = replace(creating, created=NOON + timedelta(seconds=40))
    assert problem_of([late], (warn("FailedMount", "timed out", 45),)) is None


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
