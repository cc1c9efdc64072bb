"""Labels, annotations and owner reference of the objects of a sweep or dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import (
    ATTEMPT_LABEL,
    JOB_LABEL,
    MANAGED_BY_LABEL,
    MANAGER,
    OWNER_ANNOTATION,
    SHARD_LABEL,
    build_attempt_label,
)
from synth_operator.kube.owner import OWNER_LABELS

if TYPE_CHECKING:
    from synth_operator.kube.owner import Owner


@dataclass(frozen=True)
class JobKey:
    """Key of a Job of a sweep or dataset: kind, attempt and shard."""

    kind: JobKind
    attempt: str
    """Hash of the attempt, or of a dataset's build."""
    shard: int = 0


def build_labels(owner: Owner, attempt: str) -> dict[str, str]:
    """Return the labels of all objects of an attempt."""
    return {
        "app.kubernetes.io/name": "synth",
        "app.kubernetes.io/instance": owner.name,
        "app.kubernetes.io/part-of": "synth-operator",
        MANAGED_BY_LABEL: MANAGER,
        OWNER_LABELS[owner.resource]: owner.name,
        ATTEMPT_LABEL: build_attempt_label(attempt),
    }


def build_job_labels(owner: Owner, key: JobKey) -> dict[str, str]:
    """Return the labels of a Job and its pods."""
    shard = {SHARD_LABEL: str(key.shard)} if key.kind is JobKind.RENDER else {}
    component = {"app.kubernetes.io/component": key.kind.value, JOB_LABEL: key.kind.value}
    return {**build_labels(owner, key.attempt), **component, **shard}


def build_metadata(owner: Owner, name: str, labels: dict[str, str], annotations: dict[str, str]) -> dict[str, Any]:
    """Return the metadata of an object that Kubernetes deletes together with its owner."""
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": labels,
        "annotations": {OWNER_ANNOTATION: owner.uid, **annotations},
        "ownerReferences": [
            {
                "apiVersion": owner.resource.api_version,
                "kind": owner.resource.kind,
                "name": owner.name,
                "uid": owner.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
