"""The Jobs of the four kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import HASH_ANNOTATION, INPUT_ANNOTATION, INPUTS_ANNOTATION, job_name, template_hash
from synth_operator.manifests.inputs import deletion_input
from synth_operator.manifests.names import job_labels, metadata
from synth_operator.manifests.pods import pod_spec
from synth_operator.manifests.render_pod import render_template
from synth_operator.manifests.restricted import hardened

if TYPE_CHECKING:
    from synth_api.jobs.batches import Batches
    from synth_api.resources.output import Output
    from synth_operator.configuration import Configuration
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.manifests.names import Task

QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
_DELETE_JOB_SECONDS: Final = 300
"""That a delete Job stays after its end: nobody is left who could remove it."""

_RENDER_INPUTS: Final = {
    "image",
    "resources",
    "gpu",
    "pod_template",
    "retries_per_run",
    "device",
    "priority_class_name",
    "queue_name",
    "output",
}


def inputs_hash(sweep: SweepObject, task: Task) -> str:
    """Hash of the attempt and of what the sweep says about its Job, not of what the operator adds.

    So an operator of a newer release knows the Jobs of an older one and leaves them alone.
    """
    said: dict[str, Any] = {"kind": task.kind.value, "shard": task.shard}
    if task.kind is JobKind.RENDER:
        said |= sweep.spec.model_dump(mode="json", include=_RENDER_INPUTS, exclude_none=True)
    return template_hash(task.attempt, said)


def render_job(
    sweep: SweepObject, task: Task, batches: Batches, output: Output, rules: Configuration
) -> dict[str, Any]:
    """The Job of a shard: one index per batch.

    Raises:
        InputError: the sweep's pod template is not what it may be.
    """
    spec = sweep.spec
    count = len(batches.of_shard(task.shard))
    fixed = {
        "completionMode": "Indexed",
        "completions": count,
        "backoffLimitPerIndex": (spec.retries_per_run + 1) * batches.size,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": _failure_policy(task),
        "template": render_template(sweep, task, output, rules),
    }
    movable = {"parallelism": parallelism(spec.parallelism, count), "suspend": spec.suspend or bool(spec.queue_name)}
    job = _job(sweep, task, fixed, movable)
    if spec.queue_name:
        job["metadata"]["labels"][QUEUE_LABEL] = spec.queue_name
    return job


def parallelism(wanted: int, completions: int) -> int:
    """Of a Job: no more than it has indexes."""
    return min(wanted, completions)


def small_job(sweep: SweepObject, task: Task, output: Output, rules: Configuration) -> dict[str, Any]:
    """The Job that plans, finalizes or deletes; one try, the operator makes the next."""
    container = {
        "image": rules.operator_image,
        "command": ["python", "-m", f"synth_dataset.jobs.{task.kind.value}"],
        "resources": rules.job_resources.model_dump(mode="json", exclude_none=True),
    }
    pod = hardened(pod_spec(sweep, task, output, container, rules))
    template: dict[str, Any] = {"metadata": {"labels": job_labels(sweep, task)}, "spec": pod}
    fixed = {
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": _failure_policy(task),
        "template": template,
    }
    if task.kind is not JobKind.DELETE:
        return _job(sweep, task, fixed, {})
    content = deletion_input(sweep, output).model_dump_json(exclude_none=True)
    template["metadata"]["annotations"] = {INPUT_ANNOTATION: content}
    job = _job(sweep, task, {**fixed, "ttlSecondsAfterFinished": _DELETE_JOB_SECONDS}, {})
    # An owner that is deleted in the foreground takes its children with it before our finalizer lets it go.
    del job["metadata"]["ownerReferences"]
    return job


def _job(sweep: SweepObject, task: Task, fixed: dict[str, Any], movable: dict[str, Any]) -> dict[str, Any]:
    inputs = inputs_hash(sweep, task)
    annotations = {INPUTS_ANNOTATION: inputs, HASH_ANNOTATION: template_hash(task.attempt, fixed)}
    name = job_name(sweep.name, inputs, task.kind, task.shard)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(sweep, name, job_labels(sweep, task), annotations),
        "spec": {**fixed, **movable},
    }


def _failure_policy(task: Task) -> dict[str, Any]:
    """A stopped or disrupted pod never counts; exit code 64 ends the Job (docs/contracts.md, section 6)."""
    name = task.kind.value
    return {
        "rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "Ignore", "onExitCodes": _codes(name, ExitCode.STOPPED)},
            {"action": "FailJob", "onExitCodes": _codes(name, ExitCode.NEVER)},
        ]
    }


def _codes(container: str, code: ExitCode) -> dict[str, Any]:
    return {"containerName": container, "operator": "In", "values": [code.value]}
