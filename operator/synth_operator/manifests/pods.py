"""Pod spec that all Jobs share: volumes, credentials and the termination message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.attempt_input import CA_FILE, INPUT_FILE, INPUT_FOLDER, SCRATCH_FOLDER
from synth_api.jobs.dataset_input import DATASET_INPUT_FILE
from synth_api.jobs.messages import MESSAGE_FILE, JobKind
from synth_api.jobs.names import INPUT_ANNOTATION, build_input_name
from synth_operator.kube.api import Resource

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_operator.configuration import Configuration
    from synth_operator.kube.owner import Owner
    from synth_operator.manifests.names import JobKey

CREDENTIALS: Final = (("AWS_ACCESS_KEY_ID", False), ("AWS_SECRET_ACCESS_KEY", False), ("AWS_SESSION_TOKEN", True))
"""Keys of the Secret of an output, and whether each may be missing."""

INPUT_FILES: Final = {Resource.SWEEPS: INPUT_FILE, Resource.DATASETS: DATASET_INPUT_FILE}
"""File in INPUT_FOLDER that the pods of an owner read."""
_CA_FOLDER, _CA_NAME = CA_FILE.rsplit("/", 1)


def build_pod_spec(
    owner: Owner, key: JobKey, output: Output, container: dict[str, Any], configuration: Configuration
) -> dict[str, Any]:
    """Return the pod spec of a Job; `container` has the fields of its container that depend on the kind of Job."""
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [_build_container(key, output, container, configuration)],
        "volumes": [
            {"name": "input", **_build_input_volume(owner, key)},
            {"name": "scratch", "emptyDir": {"sizeLimit": str(configuration.scratch_size)}},
            *_build_ca_volumes(output),
        ],
    }
    if output.service_account_name:
        spec["serviceAccountName"] = output.service_account_name
    if configuration.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in configuration.image_pull_secrets]
    return spec


def _build_container(key: JobKey, output: Output, own: dict[str, Any], configuration: Configuration) -> dict[str, Any]:
    return {
        **own,
        "name": key.kind.value,
        "imagePullPolicy": configuration.image_pull_policy,
        "env": [
            {"name": "HOME", "value": SCRATCH_FOLDER},
            {"name": "TMPDIR", "value": SCRATCH_FOLDER},
            *_build_credentials(output),
            *own.get("env", []),
        ],
        "volumeMounts": [
            {"name": "input", "mountPath": INPUT_FOLDER, "readOnly": True},
            {"name": "scratch", "mountPath": SCRATCH_FOLDER},
            *_build_ca_mounts(output),
        ],
        "terminationMessagePath": MESSAGE_FILE,
        "terminationMessagePolicy": "File",
    }


def _build_credentials(output: Output) -> list[dict[str, Any]]:
    """Return references to the Secret's keys.

    A missing Secret shows in the pod's status, and the pod starts once it exists (docs/contracts.md, section 8).
    """
    if output.secret_ref is None:
        return []
    return [
        {
            "name": name,
            "valueFrom": {"secretKeyRef": {"name": output.secret_ref.name, "key": name, "optional": optional}},
        }
        for name, optional in CREDENTIALS
    ]


def _build_input_volume(owner: Owner, key: JobKey) -> dict[str, Any]:
    """Return the source of the input volume: a ConfigMap, or for a delete Job an annotation of its pod.

    Kubernetes may delete the ConfigMap together with its owner, before the delete Job has run.
    """
    if key.kind is JobKind.DELETE:
        field = {"fieldPath": f"metadata.annotations['{INPUT_ANNOTATION}']"}
        return {"downwardAPI": {"items": [{"path": INPUT_FILES[owner.resource], "fieldRef": field}]}}
    return {"configMap": {"name": build_input_name(owner.name, key.attempt)}}


def _build_ca_volumes(output: Output) -> list[dict[str, Any]]:
    """Return the volume of the certificate authority, which is optional.

    Without the Secret the pod starts and reports it; with a required one it would wait without a termination message.
    """
    if output.ca_secret_ref is None:
        return []
    item = {"key": output.ca_secret_ref.key, "path": _CA_NAME}
    return [{"name": "ca", "secret": {"secretName": output.ca_secret_ref.name, "items": [item], "optional": True}}]


def _build_ca_mounts(output: Output) -> list[dict[str, Any]]:
    return [{"name": "ca", "mountPath": _CA_FOLDER, "readOnly": True}] if output.ca_secret_ref else []
