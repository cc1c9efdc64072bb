"""A pod of a sweep's Job as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from synth_api.jobs.messages import Message, read_message
from synth_api.jobs.names import JOB_LABEL
from synth_operator.kube.timestamps import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_JOB_NAME: Final = "batch.kubernetes.io/job-name"
_INDEX: Final = "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True)
class PodObject:
    """A pod of one of our Jobs."""

    name: str
    job: str
    kind: str
    index: int
    phase: str
    created: datetime
    deleted: datetime | None = None
    """Moment by which it is to be gone."""
    exit_code: int | None = None
    exit_reason: str = ""
    """`OOMKilled`, for instance."""
    message: Message | None = None
    ended: datetime | None = None
    waiting: str = ""
    """Why its container does not start: `ErrImagePull`, `CreateContainerConfigError`."""
    waiting_message: str = ""
    unschedulable: str = ""
    """The scheduler's sentence."""
    image: str = ""
    """The image as the node resolved it."""
    disrupted: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.phase in ("Succeeded", "Failed")

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From its JSON."""
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
            created=moment(metadata["creationTimestamp"]),
            deleted=moment(metadata["deletionTimestamp"]) if "deletionTimestamp" in metadata else None,
            exit_code=terminated.get("exitCode"),
            exit_reason=terminated.get("reason", ""),
            message=read_message(terminated["message"]) if terminated.get("message") else None,
            ended=moment(terminated["finishedAt"]) if terminated.get("finishedAt") else None,
            waiting=waiting.get("reason", ""),
            waiting_message=waiting.get("message", ""),
            unschedulable=_unschedulable(conditions.get("PodScheduled", {})),
            image=container.get("imageID", ""),
            disrupted=conditions.get("DisruptionTarget", {}).get("status") == "True",
        )


def _unschedulable(condition: Mapping[str, Any]) -> str:
    if condition.get("status") == "False" and condition.get("reason") == "Unschedulable":
        return str(condition.get("message", ""))
    return ""
