from datetime import UTC, datetime

from synth_api.jobs.messages import BatchMessage
from synth_operator.kube.job_object import JobObject
from synth_operator.kube.pod_object import PodObject
from synth_operator.watch.deleted_pod_messages import DeletedPodMessages

SWEEP = ("lab", "s")
START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
MESSAGE = BatchMessage(batch=0, size=12, succeeded=6)


def pod(name: str, job: str = "s-r0", message: BatchMessage | None = MESSAGE) -> PodObject:
    return PodObject(name, job, "render", index=0, phase="Failed", created=START, message=message)


def job(name: str) -> JobObject:
    created = "2026-05-01T12:00:00Z"
    metadata = {"name": name, "uid": name, "labels": {"synth-operator.io/job": "render"}, "creationTimestamp": created}
    return JobObject.from_json({"metadata": metadata, "spec": {}})


def test_a_deleted_pod_is_kept_while_its_job_exists() -> None:
    words = DeletedPodMessages()
    words.add(SWEEP, pod("one"))
    words.add(SWEEP, pod("two", "s-r1"))
    words.add(("lab", "other"), pod("three"))

    assert words.find(SWEEP, [job("s-r0")]) == (pod("one"),)
    assert words.find(SWEEP, [job("s-r0")]) == (pod("one"),)
    assert words.find(SWEEP, []) == ()


def test_a_forgotten_pod_does_not_return() -> None:
    words = DeletedPodMessages()
    words.add(SWEEP, pod("one"))
    words.find(SWEEP, [])

    assert words.find(SWEEP, [job("s-r0")]) == ()


def test_a_pod_without_a_message_is_not_kept() -> None:
    words = DeletedPodMessages()
    words.add(SWEEP, pod("one", message=None))

    assert words.find(SWEEP, [job("s-r0")]) == ()
