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
from synth_operator.kube.api import Resource
from synth_operator.kube.completion_indexes import NO_INDEXES, CompletionIndexes
from synth_operator.kube.controller_reference import find_controller
from synth_operator.kube.extended_resources import count_gpus
from synth_operator.kube.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class JobFinish:
    """End of a Job: its condition Complete or Failed."""

    succeeded: bool
    reason: str
    message: str
    at: datetime


@dataclass(frozen=True)
class JobObject:
    """A Job of a sweep."""

    name: str
    uid: str
    owner: str
    """uid of the sweep that controls it."""
    sweep: str
    kind: JobKind
    attempt: str
    """Label of its attempt: the start of the attempt's hash."""
    shard: int
    hash: str
    """Hash of its manifest."""
    inputs: str
    """Hash of the attempt and of the parts of the sweep's spec that it depends on."""
    created: datetime
    deleting: bool = False
    suspend: bool = False
    parallelism: int = 1
    completions: int = 1
    gpus: int = 0
    """GPUs that each of its pods requests."""
    active: int = 0
    ready: int = 0
    completed_indexes: CompletionIndexes = NO_INDEXES
    failed_indexes: CompletionIndexes = NO_INDEXES
    finish: JobFinish | None = None

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the Job in the API's JSON. Raises ValueError and KeyError for labels that no Job of a sweep has."""
        metadata, spec, status = body["metadata"], body.get("spec", {}), body.get("status") or {}
        labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
        return cls(
            name=metadata["name"],
            uid=metadata["uid"],
            owner=find_owner(body),
            sweep=labels.get(SWEEP_LABEL, ""),
            kind=JobKind(labels[JOB_LABEL]),
            attempt=labels.get(ATTEMPT_LABEL, ""),
            shard=int(labels.get(SHARD_LABEL, 0)),
            hash=annotations.get(HASH_ANNOTATION, ""),
            inputs=annotations.get(INPUTS_ANNOTATION, ""),
            created=parse_timestamp(metadata["creationTimestamp"]),
            deleting="deletionTimestamp" in metadata,
            suspend=spec.get("suspend", False),
            parallelism=spec.get("parallelism", 1),
            completions=spec.get("completions", 1),
            gpus=count_gpus((spec.get("template") or {}).get("spec") or {}),
            active=status.get("active", 0),
            ready=status.get("ready", 0),
            completed_indexes=CompletionIndexes.parse(status.get("completedIndexes", "")),
            failed_indexes=CompletionIndexes.parse(status.get("failedIndexes", "")),
            finish=_find_finish(status.get("conditions") or ()),
        )


def read_job(body: Mapping[str, Any]) -> JobObject | None:
    """Return the Job in the API's JSON; None for one that no sweep or dataset controls, or without its labels."""
    try:
        job = JobObject.from_json(body)
    except (KeyError, ValueError):
        return None
    return job if job.owner else None


def find_owner(body: Mapping[str, Any]) -> str:
    """Return the uid of the sweep or dataset that a Job or ConfigMap belongs to, empty if it belongs to none.

    A delete Job has no controller, since a foreground deletion of its owner would delete it: its annotation counts.
    """
    metadata = body["metadata"]
    if metadata.get("labels", {}).get(JOB_LABEL) == JobKind.DELETE and not metadata.get("ownerReferences"):
        return str(metadata.get("annotations", {}).get(OWNER_ANNOTATION, ""))
    controller = find_controller(body, Resource.SWEEPS) or find_controller(body, Resource.DATASETS)
    return str(controller.get("uid", ""))


def _find_finish(conditions: Any) -> JobFinish | None:
    for condition in conditions:
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return JobFinish(
                succeeded=condition["type"] == "Complete",
                reason=condition.get("reason", ""),
                message=condition.get("message", ""),
                at=parse_timestamp(condition["lastTransitionTime"]),
            )
    return None
