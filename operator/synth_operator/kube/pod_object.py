"""A pod of a sweep's Job as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from synth_api.jobs.messages import Message, read_message
from synth_api.jobs.names import JOB_LABEL
from synth_operator.kube.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from synth_api.resources.conditions import Problem

_JOB_NAME: Final = "batch.kubernetes.io/job-name"
_INDEX: Final = "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True)
class PodObject:
    """A pod, with the state of its first container."""

    name: str
    job: str
    """Name of its Job."""
    kind: str
    """Kind of its Job: `plan`, `render`, `finalize` or `delete`."""
    index: int
    """Completion index in its Job."""
    phase: str
    created: datetime
    deletion_time: datetime | None = None
    """End of its grace period; None unless it is being deleted."""
    exit_code: int | None = None
    exit_reason: str = ""
    """Reason of the terminated container: `Error`, `OOMKilled`."""
    message: Message | None = None
    """Termination message; None if there is none or it cannot be read."""
    finish_time: datetime | None = None
    waiting_reason: str = ""
    """Reason of the waiting container: `ErrImagePull`, `CreateContainerConfigError`."""
    waiting_message: str = ""
    unschedulable: str = ""
    """The scheduler's message if no node fits, else empty."""
    image: str = ""
    """Image ID as the node resolved it."""
    is_disrupted: bool = False
    """True if the pod was evicted, preempted or lost with its node (condition `DisruptionTarget`)."""

    @property
    def is_finished(self) -> bool:
        """True in the phases Succeeded and Failed: no container runs any more."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def problem(self) -> Problem | None:
        """Problem in the termination message, if any."""
        return self.message.problem if self.message else None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the pod in the API's JSON."""
        metadata, status = body["metadata"], body.get("status") or {}
        labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
        container: Mapping[str, Any] = next(iter(status.get("containerStatuses") or ()), {})
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated") or {}, state.get("waiting") or {}
        conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
        return cls(
            name=metadata["name"],
            job=labels.get(_JOB_NAME, ""),
            kind=labels.get(JOB_LABEL, ""),
            index=int(annotations.get(_INDEX, labels.get(_INDEX, 0))),
            phase=status.get("phase", "Pending"),
            created=parse_timestamp(metadata["creationTimestamp"]),
            deletion_time=parse_timestamp(metadata["deletionTimestamp"]) if "deletionTimestamp" in metadata else None,
            exit_code=terminated.get("exitCode"),
            exit_reason=terminated.get("reason", ""),
            message=read_message(terminated["message"]) if terminated.get("message") else None,
            finish_time=parse_timestamp(terminated["finishedAt"]) if terminated.get("finishedAt") else None,
            waiting_reason=waiting.get("reason", ""),
            waiting_message=waiting.get("message", ""),
            unschedulable=_find_unschedulable(conditions.get("PodScheduled", {})),
            image=container.get("imageID", ""),
            is_disrupted=conditions.get("DisruptionTarget", {}).get("status") == "True",
        )


def _find_unschedulable(condition: Mapping[str, Any]) -> str:
    if condition.get("status") == "False" and condition.get("reason") == "Unschedulable":
        return str(condition.get("message", ""))
    return ""
