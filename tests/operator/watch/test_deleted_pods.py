from dataclasses import replace
from datetime import UTC, datetime, timedelta

from synth_api.jobs.messages import BatchMessage
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.pod_object import PodObject
from synth_operator.watch.deleted_pods import DeletedPods

SWEEP = ("lab", "s")
START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
MESSAGE = BatchMessage(batch=0, size=12, succeeded=6)


def pod(name: str, job: str = "s-r0", message: BatchMessage | None = MESSAGE) -> PodObject:
    return PodObject(name, job, job, "render", index=0, phase="Failed", created=START, message=message)


def job(name: str) -> JobObject:
    created = "2026-05-01T12:00:00Z"
    metadata = {"name": name, "uid": name, "labels": {"synth-operator.io/job": "render"}, "creationTimestamp": created}
    return JobObject.from_json({"metadata": metadata, "spec": {}})


def test_a_deleted_pod_is_kept_while_its_job_exists() -> None:
    pods = DeletedPods()
    pods.add(SWEEP, pod("one"))
    pods.add(SWEEP, pod("two", "s-r1"))
    pods.add(("lab", "other"), pod("three"))

    assert pods.find(SWEEP, [job("s-r0")], None) == (pod("one"),)
    assert pods.find(SWEEP, [job("s-r0")], None) == (pod("one"),)
    assert pods.find(SWEEP, [], None) == ()


def test_a_forgotten_pod_does_not_return() -> None:
    pods = DeletedPods()
    pods.add(SWEEP, pod("one"))
    pods.find(SWEEP, [], None)

    assert pods.find(SWEEP, [job("s-r0")], None) == ()


def test_a_pod_that_had_no_node_is_not_kept() -> None:
    pods = DeletedPods()
    pods.add(SWEEP, pod("one", message=None))

    assert pods.find(SWEEP, [job("s-r0")], START) == ()


def test_a_pod_is_kept_until_its_time_is_counted() -> None:
    end = START + timedelta(seconds=50)
    one = replace(pod("one", message=None), start_time=START, removal_time=end)
    pods = DeletedPods()
    pods.add(SWEEP, one)

    assert pods.find(SWEEP, [], START) == (one,)
    assert pods.find(SWEEP, [], end - timedelta(seconds=1)) == (one,)
    assert pods.find(SWEEP, [], end) == ()
    assert pods.find(SWEEP, [], START) == ()
