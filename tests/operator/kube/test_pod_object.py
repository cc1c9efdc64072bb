"""Time and resources of a pod, as the API shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from synth_operator.kube.pod_object import PodObject

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DEVICE = "nvidia.com/gpu"


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def read_pod(*containers: dict[str, Any], end: str = "", phase: str = "Running") -> PodObject:
    terminated = {"state": {"terminated": {"exitCode": 0, "finishedAt": end}}}
    status = {"phase": phase, "startTime": "2026-05-01T12:10:00Z", "containerStatuses": [terminated] if end else []}
    return PodObject.from_json(
        {
            "metadata": {"name": "p", "creationTimestamp": "2026-05-01T12:00:00Z"},
            "spec": {"containers": [{"name": "render", **container} for container in containers]},
            "status": status,
        }
    )


@pytest.mark.parametrize(
    ("since", "now", "minutes"), [(0, 20, 10), (0, 5, 0), (15, 20, 5), (0, 90, 20), (20, 90, 10), (30, 90, 0)]
)
def test_a_pod_holds_its_node_from_its_start_to_its_end(since: int, now: int, minutes: int) -> None:
    pod = read_pod(end="2026-05-01T12:30:00Z", phase="Succeeded")

    assert pod.compute_seconds(minute(since), minute(now)) == 60 * minutes


def test_a_pod_that_runs_holds_its_node_until_now() -> None:
    assert read_pod().compute_seconds(NOON, minute(70)) == 3600


def test_a_pod_without_a_node_holds_nothing() -> None:
    pod = PodObject("p", "r0", "1", "render", index=0, phase="Pending", created=NOON)

    assert pod.compute_seconds(NOON, minute(70)) == 0


def test_a_pod_that_ended_at_an_unknown_time_holds_nothing_more() -> None:
    assert read_pod(phase="Failed").compute_seconds(NOON, minute(70)) == 0


def test_cpus_and_devices_of_all_containers_are_summed() -> None:
    pod = read_pod(
        {"resources": {"requests": {"cpu": "1500m", "memory": "4Gi"}, "limits": {"cpu": "4", DEVICE: "2"}}},
        {"resources": {"limits": {"cpu": 1}}},
        {},
    )

    assert (pod.cpus, pod.gpus) == (2.5, 2)


@pytest.mark.parametrize(
    ("container", "phase", "startup_time"),
    [
        ({"started": False, "state": {"running": {"startedAt": "2026-05-01T12:20:00Z"}}}, "Running", minute(20)),
        ({"started": True, "state": {"running": {"startedAt": "2026-05-01T12:20:00Z"}}}, "Running", None),
        ({"state": {"running": {"startedAt": "2026-05-01T12:20:00Z"}}}, "Running", None),
        ({"started": False, "state": {"waiting": {"reason": "ContainerCreating"}}}, "Pending", None),
        ({"started": False, "state": {"terminated": {"exitCode": 75}}}, "Failed", None),
    ],
)
def test_a_container_starts_up_until_its_startup_probe_succeeds(
    container: dict[str, Any], phase: str, startup_time: datetime | None
) -> None:
    body = {
        "metadata": {"name": "p", "creationTimestamp": "2026-05-01T12:00:00Z"},
        "status": {"phase": phase, "containerStatuses": [container]},
    }
    assert PodObject.from_json(body).startup_time == startup_time
    assert PodObject.from_json(body).is_starting is (startup_time is not None)
    stopping = {**body["metadata"], "deletionTimestamp": "2026-05-01T12:30:00Z"}
    assert not PodObject.from_json({**body, "metadata": stopping}).is_starting
