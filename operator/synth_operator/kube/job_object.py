"""A Job of a sweep as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import (
    ATTEMPT_LABEL,
    HASH_ANNOTATION,
    INPUTS_ANNOTATION,
    JOB_LABEL,
    OWNER_ANNOTATION,
    SHARD_LABEL,
    SWEEP_LABEL,
)
from synth_operator.kube.completion_indexes import NO_INDEXES, Indexes
from synth_operator.kube.timestamps import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class Finish:
    """How a Job ended."""

    succeeded: bool
    reason: str
    message: str
    at: datetime


@dataclass(frozen=True)
class JobObject:
    """One of our Jobs. `owner` is the uid of the sweep it was made for, `attempt` the label's start of the hash."""

    name: str
    uid: str
    owner: str
    sweep: str
    kind: JobKind
    attempt: str
    shard: int
    hash: str
    inputs: str
    created: datetime
    deleting: bool = False
    suspend: bool = False
    parallelism: int = 1
    completions: int = 1
    active: int = 0
    ready: int = 0
    completed: Indexes = NO_INDEXES
    failed: Indexes = NO_INDEXES
    finish: Finish | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From its JSON."""
        metadata, spec, status = body["metadata"], body.get("spec", {}), body.get("status") or {}
        labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
        return cls(
            name=metadata["name"],
            uid=metadata["uid"],
            owner=annotations.get(OWNER_ANNOTATION, ""),
            sweep=labels.get(SWEEP_LABEL, ""),
            kind=JobKind(labels[JOB_LABEL]),
            attempt=labels.get(ATTEMPT_LABEL, ""),
            shard=int(labels.get(SHARD_LABEL, 0)),
            hash=annotations.get(HASH_ANNOTATION, ""),
            inputs=annotations.get(INPUTS_ANNOTATION, ""),
            created=moment(metadata["creationTimestamp"]),
            deleting="deletionTimestamp" in metadata,
            suspend=spec.get("suspend", False),
            parallelism=spec.get("parallelism", 1),
            completions=spec.get("completions", 1),
            active=status.get("active", 0),
            ready=status.get("ready", 0),
            completed=Indexes.of(status.get("completedIndexes", "")),
            failed=Indexes.of(status.get("failedIndexes", "")),
            finish=_finish(status.get("conditions") or ()),
        )


def _finish(conditions: Any) -> Finish | None:
    for condition in conditions:
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return Finish(
                succeeded=condition["type"] == "Complete",
                reason=condition.get("reason", ""),
                message=condition.get("message", ""),
                at=moment(condition["lastTransitionTime"]),
            )
    return None
