"""Labels, annotations and owner reference of the objects of a sweep."""

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
    SWEEP_LABEL,
    build_attempt_label,
)
from synth_api.resources.base import API_VERSION
from synth_api.resources.synth_sweep import KIND

if TYPE_CHECKING:
    from synth_operator.kube.sweep_object import SweepObject


@dataclass(frozen=True)
class JobKey:
    """Key of a Job in a sweep: kind, attempt and shard."""

    kind: JobKind
    attempt: str
    """Hash of the attempt."""
    shard: int = 0


def build_labels(sweep: SweepObject, attempt: str) -> dict[str, str]:
    """Return the labels of all objects of an attempt."""
    return {
        "app.kubernetes.io/name": "synth",
        "app.kubernetes.io/instance": sweep.name,
        "app.kubernetes.io/part-of": "synth-operator",
        MANAGED_BY_LABEL: MANAGER,
        SWEEP_LABEL: sweep.name,
        ATTEMPT_LABEL: build_attempt_label(attempt),
    }


def build_job_labels(sweep: SweepObject, key: JobKey) -> dict[str, str]:
    """Return the labels of a Job and its pods."""
    shard = {SHARD_LABEL: str(key.shard)} if key.kind is JobKind.RENDER else {}
    component = {"app.kubernetes.io/component": key.kind.value, JOB_LABEL: key.kind.value}
    return {**build_labels(sweep, key.attempt), **component, **shard}


def build_metadata(
    sweep: SweepObject, name: str, labels: dict[str, str], annotations: dict[str, str]
) -> dict[str, Any]:
    """Return the metadata of an object that Kubernetes deletes together with its sweep."""
    return {
        "name": name,
        "namespace": sweep.namespace,
        "labels": labels,
        "annotations": {OWNER_ANNOTATION: sweep.uid, **annotations},
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": sweep.name,
                "uid": sweep.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
