"""A pod of a sweep's Job as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from kubernetes.utils.quantity import parse_quantity

from synth_api.jobs.messages import Message, read_message
from synth_api.jobs.names import JOB_LABEL
from synth_operator.kube.api import Resource
from synth_operator.kube.controller_reference import find_controller
from synth_operator.kube.extended_resources import count_gpus
from synth_operator.kube.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from synth_api.resources.conditions import Problem

_INDEX: Final = "batch.kubernetes.io/job-completion-index"
NORMAL_WAITING: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Reasons of containers whose turn has not come, and of pods whose volumes are not mounted: Events name the cause."""
_RUNTIME_REASONS: Final = frozenset({"StartError", "ContainerCannotRun"})
"""Reasons with which a message is that of the container runtime."""


@dataclass(frozen=True)
class PodObject:
    """A pod, with the state of the container of its Job, and of the first container that keeps it from starting."""

    name: str
    job: str
    """Name of the Job that controls it."""
    owner: str
    """uid of that Job; empty if none controls the pod."""
    kind: str
    """Kind of its Job: `plan`, `render`, `finalize` or `delete`."""
    index: int
    """Completion index in its Job."""
    phase: str
    created: datetime
    gpus: int = 0
    """GPUs that it requests."""
    cpus: float = 0.0
    """CPUs that it requests."""
    deletion_time: datetime | None = None
    """End of its grace period; None unless it is being deleted."""
    exit_code: int | None = None
    exit_reason: str = ""
    """Reason of the terminated container (`Error`, `OOMKilled`), else of the end of a pod that never started it."""
    message: Message | None = None
    """Termination message; None if there is none or it does not fit."""
    has_refused_message: bool = False
    """True if the pod left a text that does not fit: no worker of its Job writes it."""
    start_time: datetime | None = None
    """When a node took the pod; its resources are reserved from then on."""
    startup_time: datetime | None = None
    """When its container began to start up; None before, and after its startup probe has succeeded."""
    finish_time: datetime | None = None
    """When its container ended."""
    removal_time: datetime | None = None
    """When the watch saw that the pod was deleted; None while it exists."""
    waiting_container: str = ""
    """Name of the waiting container; an init container has one of the pod template's names."""
    waiting_reason: str = ""
    """Reason of the waiting container: `ErrImagePull`, `CreateContainerConfigError`."""
    waiting_message: str = ""
    unschedulable: str = ""
    """What the scheduler says of a pod that it does not place, else empty."""
    silent_scheduler: str = ""
    """Name of the scheduler that has said nothing about the pod yet, else empty."""
    image: str = ""
    """Image ID as the node resolved it."""
    is_disrupted: bool = False
    """True if the pod was evicted, preempted or lost with its node (condition `DisruptionTarget`)."""

    @property
    def is_finished(self) -> bool:
        """True in the phases Succeeded and Failed, and after deletion: no container runs any more."""
        return self.phase in ("Succeeded", "Failed") or self.removal_time is not None

    @property
    def is_starting(self) -> bool:
        """True while its container runs and its startup probe has not succeeded; a stopping pod starts no more."""
        return self.startup_time is not None and self.deletion_time is None and not self.is_finished

    @property
    def end_time(self) -> datetime | None:
        """When the pod gave up its resources; None while it holds them."""
        return self.finish_time or self.removal_time

    def compute_seconds(self, since: datetime, now: datetime) -> float:
        """Return the seconds between two times for which the pod held its resources, as its node reports them."""
        if self.start_time is None or (self.is_finished and self.end_time is None):
            return 0.0
        held = min(self.end_time or now, now) - max(self.start_time, since)
        return max(0.0, held.total_seconds())

    @property
    def problem(self) -> Problem | None:
        """Problem in the termination message, if any."""
        return self.message.problem if self.message else None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the pod in the API's JSON. Raises ValueError for an index that is no number."""
        metadata, status = body["metadata"], body.get("status") or {}
        labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
        kind = labels.get(JOB_LABEL, "")
        container = _find_main_container(status, kind)
        terminated = (container.get("state") or {}).get("terminated") or {}
        blocker = _find_blocker(status, container)
        waiting = (blocker.get("state") or {}).get("waiting") or {}
        init_failure, init_end = ("", "") if terminated else _find_init_failure(status)
        finished_at = terminated.get("finishedAt") or init_end
        text = terminated.get("message", "")
        message = read_message(text) if text else None
        controller = find_controller(body, Resource.JOBS)
        conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
        return cls(
            name=metadata["name"],
            job=controller.get("name", ""),
            owner=controller.get("uid", ""),
            kind=kind,
            index=int(annotations.get(_INDEX, labels.get(_INDEX, 0))),
            phase=status.get("phase", "Pending"),
            created=parse_timestamp(metadata["creationTimestamp"]),
            gpus=count_gpus(body.get("spec") or {}),
            cpus=_count_cpus(body.get("spec") or {}),
            deletion_time=parse_timestamp(metadata["deletionTimestamp"]) if "deletionTimestamp" in metadata else None,
            exit_code=terminated.get("exitCode"),
            exit_reason=terminated.get("reason", "") or init_failure or status.get("reason", ""),
            message=message,
            has_refused_message=message is None and bool(text) and terminated.get("reason") not in _RUNTIME_REASONS,
            start_time=parse_timestamp(status["startTime"]) if status.get("startTime") else None,
            startup_time=_find_startup_time(container),
            finish_time=parse_timestamp(finished_at) if finished_at else None,
            waiting_container=blocker.get("name", "") if waiting else "",
            waiting_reason=waiting.get("reason", ""),
            waiting_message=waiting.get("message", ""),
            unschedulable=_find_unschedulable(conditions.get("PodScheduled", {})),
            silent_scheduler="" if "PodScheduled" in conditions else _find_awaited_scheduler(body.get("spec") or {}),
            image=container.get("imageID", ""),
            is_disrupted=conditions.get("DisruptionTarget", {}).get("status") == "True",
        )


def read_pod(body: Mapping[str, Any]) -> PodObject | None:
    """Return the pod in the API's JSON; None for one that no Job controls, or with an index that is no number."""
    try:
        pod = PodObject.from_json(body)
    except (KeyError, ValueError):
        return None
    return pod if pod.owner else None


def _find_main_container(status: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the status of the container that the operator wrote; Kubernetes sorts the statuses by name."""
    statuses: Iterable[Mapping[str, Any]] = status.get("containerStatuses") or ()
    return next((each for each in statuses if each.get("name", name) == name), {})


def _find_startup_time(container: Mapping[str, Any]) -> datetime | None:
    running = (container.get("state") or {}).get("running") or {}
    is_starting = container.get("started") is False and "startedAt" in running
    return parse_timestamp(running["startedAt"]) if is_starting else None


def _find_blocker(status: Mapping[str, Any], main: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the status of the first container that waits for more than its turn, else that of the main container.

    An init container that runs is the pod's start, so nothing waits.
    """
    states = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for each in states:
        state = each.get("state") or {}
        if (state.get("waiting") or {}).get("reason", "") not in NORMAL_WAITING:
            found: Mapping[str, Any] = each
            return found
        if "running" in state and each is not main:
            return {}
    return main


def _find_init_failure(status: Mapping[str, Any]) -> tuple[str, str]:
    """Return which init container of a failed pod ended how, and when; empty texts if none failed."""
    for each in status.get("initContainerStatuses") or ():
        ended = (each.get("state") or {}).get("terminated") or {}
        if status.get("phase") == "Failed" and ended.get("exitCode"):
            return f"container '{each['name']}' ended with exit code {ended['exitCode']}", ended.get("finishedAt") or ""
    return "", ""


def _find_awaited_scheduler(spec: Mapping[str, Any]) -> str:
    return "" if spec.get("nodeName") else str(spec.get("schedulerName", ""))


def _find_unschedulable(condition: Mapping[str, Any]) -> str:
    """Return why a pod is not scheduled; a gate is no problem: Kueue opens it."""
    if condition.get("status") == "False" and condition.get("reason") != "SchedulingGated":
        return str(condition.get("message") or condition.get("reason", ""))
    return ""


def _count_cpus(pod_spec: Mapping[str, Any]) -> float:
    """Return the CPUs that the containers request together; Kubernetes takes a limit without a request for one."""
    resources = [container.get("resources") or {} for container in pod_spec.get("containers") or ()]
    amounts = [{**(each.get("limits") or {}), **(each.get("requests") or {})}.get("cpu", 0) for each in resources]
    return float(sum(map(parse_quantity, amounts)))
