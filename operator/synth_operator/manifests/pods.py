"""What the pods of all Jobs have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.attempt_input import CA_FILE, INPUT_FILE, INPUT_FOLDER, SCRATCH_FOLDER
from synth_api.jobs.messages import MESSAGE_FILE, JobKind
from synth_api.jobs.names import INPUT_ANNOTATION, input_name

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_operator.configuration import Configuration
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.manifests.names import Task

_CREDENTIALS: Final = (("AWS_ACCESS_KEY_ID", False), ("AWS_SECRET_ACCESS_KEY", False), ("AWS_SESSION_TOKEN", True))
_CA_FOLDER, _CA_NAME = CA_FILE.rsplit("/", 1)


def pod_spec(
    sweep: SweepObject, task: Task, output: Output, container: dict[str, Any], rules: Configuration
) -> dict[str, Any]:
    """The pod of a Job around what is special in its container."""
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [_container(task, output, container, rules)],
        "volumes": [
            {"name": "input", **_input(sweep, task)},
            {"name": "scratch", "emptyDir": {"sizeLimit": str(rules.scratch_size)}},
            *_ca_volume(output),
        ],
    }
    if output.service_account_name:
        spec["serviceAccountName"] = output.service_account_name
    if rules.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in rules.image_pull_secrets]
    return spec


def _container(task: Task, output: Output, own: dict[str, Any], rules: Configuration) -> dict[str, Any]:
    return {
        **own,
        "name": task.kind.value,
        "imagePullPolicy": rules.image_pull_policy,
        "env": [
            {"name": "HOME", "value": SCRATCH_FOLDER},
            {"name": "TMPDIR", "value": SCRATCH_FOLDER},
            *_credentials(output),
            *own.get("env", []),
        ],
        "volumeMounts": [
            {"name": "input", "mountPath": INPUT_FOLDER, "readOnly": True},
            {"name": "scratch", "mountPath": SCRATCH_FOLDER},
            *_ca_mount(output),
        ],
        "terminationMessagePath": MESSAGE_FILE,
        "terminationMessagePolicy": "File",
    }


def _credentials(output: Output) -> list[dict[str, Any]]:
    """By reference: a missing Secret shows in the pod's status and heals by itself (docs/contracts.md, section 8)."""
    if output.secret_ref is None:
        return []
    return [
        {
            "name": name,
            "valueFrom": {"secretKeyRef": {"name": output.secret_ref.name, "key": name, "optional": optional}},
        }
        for name, optional in _CREDENTIALS
    ]


def _input(sweep: SweepObject, task: Task) -> dict[str, Any]:
    """A delete Job's comes with its pod: a ConfigMap could be collected together with the sweep that is deleted."""
    if task.kind is JobKind.DELETE:
        field = {"fieldPath": f"metadata.annotations['{INPUT_ANNOTATION}']"}
        return {"downwardAPI": {"items": [{"path": INPUT_FILE, "fieldRef": field}]}}
    return {"configMap": {"name": input_name(sweep.name, task.attempt)}}


def _ca_volume(output: Output) -> list[dict[str, Any]]:
    """Optional: without it the pod starts and says what is missing; as a must it would wait without a word."""
    if output.ca_secret_ref is None:
        return []
    item = {"key": output.ca_secret_ref.key, "path": _CA_NAME}
    return [{"name": "ca", "secret": {"secretName": output.ca_secret_ref.name, "items": [item], "optional": True}}]


def _ca_mount(output: Output) -> list[dict[str, Any]]:
    return [{"name": "ca", "mountPath": _CA_FOLDER, "readOnly": True}] if output.ca_secret_ref else []
