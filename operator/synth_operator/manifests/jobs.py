"""Manifests of the Jobs of a sweep: plan, render, finalize and delete; and what all Jobs have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.exit_codes import ExitCode
from synth_api.jobs.messages import JobKind
from synth_api.jobs.names import HASH_ANNOTATION, INPUT_ANNOTATION, INPUTS_ANNOTATION, build_job_name, hash_template
from synth_operator.manifests.inputs import build_deletion_input
from synth_operator.manifests.names import build_job_labels, build_metadata
from synth_operator.manifests.pods import build_pod_spec
from synth_operator.manifests.render_pod import build_render_template
from synth_operator.manifests.restricted import harden_pod_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.jobs.batches import Batches
    from synth_api.resources.base import Part
    from synth_api.resources.output import Output
    from synth_operator.configuration import Configuration
    from synth_operator.kube.owner import Owner
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.manifests.names import JobKey

QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
_DELETE_JOB_SECONDS: Final = 300
"""Time that Kubernetes keeps a finished delete Job: its owner no longer exists and cannot delete it."""
_PROGRAMS: Final = {JobKind.EXPORT: "export_part"}
"""Programs with another name than their kind of Job."""

_RENDER_FIELDS: Final = {
    "image",
    "resources",
    "gpu",
    "pod_template",
    "retries_per_run",
    "workers_per_pod",
    "device",
    "priority_class_name",
    "queue_name",
    "output",
}


def compute_inputs_hash(sweep: SweepObject, key: JobKey) -> str:
    """Return the hash of the attempt and of the spec fields that its Job depends on, without the operator's own part.

    So a newer release of the operator recognises the Jobs of an older one and does not replace them.
    """
    if key.kind is not JobKind.RENDER:
        return hash_inputs(key)
    return hash_inputs(key, sweep.spec.model_dump(mode="json", include=_RENDER_FIELDS, exclude_none=True))


def hash_inputs(key: JobKey, fields: Mapping[str, Any] | None = None) -> str:
    """Return the hash of an attempt or build and of the fields that its Job depends on."""
    return hash_template(key.attempt, {"kind": key.kind.value, "shard": key.shard, **(fields or {})})


def build_render_job(
    sweep: SweepObject, key: JobKey, batches: Batches, output: Output, configuration: Configuration
) -> dict[str, Any]:
    """Return the Job of a shard, with one completion index per batch.

    Raises:
        InputError: the sweep's pod template is invalid or not allowed.
    """
    spec = sweep.spec
    count = len(batches.get_batches(key.shard))
    immutable = {
        "completionMode": "Indexed",
        "completions": count,
        # Deaths that a run has of its own, and one that it shares with those in flight beside it.
        "backoffLimitPerIndex": (spec.retries_per_run + 2) * batches.size,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": build_failure_policy(key),
        "template": build_render_template(sweep, key, output, configuration),
    }
    mutable = {
        "parallelism": limit_parallelism(spec.parallelism, count),
        "suspend": spec.suspend or bool(spec.queue_name),
    }
    job = build_job(sweep, key, compute_inputs_hash(sweep, key), immutable, mutable)
    if spec.queue_name:
        job["metadata"]["labels"][QUEUE_LABEL] = spec.queue_name
    return job


def limit_parallelism(wanted: int, completions: int, allowed: int | None = None) -> int:
    """Return the parallelism of a Job: at most its number of completions, and what the namespace's limits allow."""
    return min(wanted, completions) if allowed is None else min(wanted, completions, allowed)


def build_small_job(sweep: SweepObject, key: JobKey, output: Output, configuration: Configuration) -> dict[str, Any]:
    """Return a plan, finalize or delete Job of a sweep, with a single try; the operator creates the next one."""
    if key.kind is not JobKind.DELETE:
        return build_job(sweep, key, hash_inputs(key), build_single_try(sweep, key, output, configuration))
    return build_delete_job(sweep, key, output, build_deletion_input(sweep, output, configuration), configuration)


def build_delete_job(
    owner: Owner, key: JobKey, output: Output, given: Part, configuration: Configuration
) -> dict[str, Any]:
    """Return the Job that deletes the outputs of an owner, with its input in an annotation of its pod."""
    immutable = build_single_try(owner, key, output, configuration)
    immutable["template"]["metadata"]["annotations"] = {INPUT_ANNOTATION: given.model_dump_json(exclude_none=True)}
    job = build_job(owner, key, hash_inputs(key), {**immutable, "ttlSecondsAfterFinished": _DELETE_JOB_SECONDS})
    # With an owner reference, a foreground deletion of the owner would delete this Job before it has run.
    del job["metadata"]["ownerReferences"]
    return job


def build_single_try(owner: Owner, key: JobKey, output: Output, configuration: Configuration) -> dict[str, Any]:
    """Return the spec of a Job with one pod of the operator's image and a single try."""
    return {
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": build_failure_policy(key),
        "template": build_small_template(owner, key, output, configuration),
    }


def build_small_template(owner: Owner, key: JobKey, output: Output, configuration: Configuration) -> dict[str, Any]:
    """Return the template of pods that run a program of `synth_dataset.jobs` in the operator's image."""
    container = {
        "image": configuration.operator_image,
        "command": ["python", "-m", f"synth_dataset.jobs.{_PROGRAMS.get(key.kind, key.kind.value)}"],
        "resources": configuration.job_resources.model_dump(mode="json", exclude_none=True),
    }
    pod = harden_pod_spec(build_pod_spec(owner, key, output, container, configuration))
    return {"metadata": {"labels": build_job_labels(owner, key)}, "spec": pod}


def build_job(
    owner: Owner, key: JobKey, inputs: str, immutable: dict[str, Any], mutable: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a Job with the hash of its inputs and of the fields of its spec that never change."""
    annotations = {INPUTS_ANNOTATION: inputs, HASH_ANNOTATION: hash_template(key.attempt, immutable)}
    name = build_job_name(owner.name, inputs, key.kind, key.shard)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": build_metadata(owner, name, build_job_labels(owner, key), annotations),
        "spec": {**immutable, **(mutable or {})},
    }


def build_failure_policy(key: JobKey) -> dict[str, Any]:
    """Return the policy: a stopped or disrupted pod never counts; exit code 64 ends the Job (docs/contracts.md, 6)."""
    name = key.kind.value
    return {
        "rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "Ignore", "onExitCodes": _match_exit_code(name, ExitCode.STOPPED)},
            {"action": "FailJob", "onExitCodes": _match_exit_code(name, ExitCode.NEVER)},
        ]
    }


def _match_exit_code(container: str, code: ExitCode) -> dict[str, Any]:
    return {"containerName": container, "operator": "In", "values": [code.value]}
