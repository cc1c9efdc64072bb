"""Manifests of the Jobs of a SynthDataset, export, publish and delete, and of the ConfigMap that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.jobs.dataset_input import DatasetInput
from synth_api.jobs.messages import JobKind
from synth_api.resources.synth_dataset import DatasetDefinition, ExportSpec
from synth_operator.manifests.inputs import wrap_input
from synth_operator.manifests.jobs import (
    build_delete_job,
    build_failure_policy,
    build_job,
    build_single_try,
    build_small_template,
    hash_inputs,
)
from synth_operator.manifests.names import JobKey

if TYPE_CHECKING:
    from synth_api.resources.synth_dataset import BuildStatus
    from synth_operator.configuration import Configuration
    from synth_operator.kube.dataset_object import DatasetObject

RETRIES_PER_PART: Final = 2
"""Further pods for a part whose pod has failed, before the operator waits and creates the Job again."""


def build_dataset_job(
    dataset: DatasetObject, kind: JobKind, build: BuildStatus, configuration: Configuration
) -> dict[str, Any]:
    """Return the export, publish or delete Job of a build."""
    key = JobKey(kind, build.hash)
    match kind:
        case JobKind.EXPORT:
            return _build_export_job(dataset, key, build, configuration)
        case JobKind.DELETE:
            given = _build_deletion_input(dataset, build, configuration)
            return build_delete_job(dataset, key, build.output, given, configuration)
        case _:
            immutable = build_single_try(dataset, key, build.output, configuration)
            return build_job(dataset, key, hash_inputs(key), immutable)


def build_dataset_config_map(
    dataset: DatasetObject, build: BuildStatus, configuration: Configuration
) -> dict[str, Any]:
    """Return the manifest of the immutable ConfigMap with the input of a build."""
    return wrap_input(dataset, build.hash, build_dataset_input(dataset, build, configuration))


def build_dataset_input(dataset: DatasetObject, build: BuildStatus, configuration: Configuration) -> DatasetInput:
    """Return the input that the pods of a build read."""
    return DatasetInput(
        namespace=dataset.namespace,
        name=dataset.name,
        definition=dataset.spec.definition,
        datasets=build.sources,
        output=build.output,
        endpoint_is_known=configuration.knows_endpoint(build.output),
        parts=build.parts,
        build=build.hash,
    )


def _build_deletion_input(dataset: DatasetObject, build: BuildStatus, configuration: Configuration) -> DatasetInput:
    """Return the input of a delete Job, which reads the place alone: an annotation has no room for every definition."""
    given = build_dataset_input(dataset, build, configuration)
    export = ExportSpec(format=given.definition.exports[0].format)
    shortest = DatasetDefinition(version=build.version, sources=given.definition.sources[:1], exports=(export,))
    return given.model_copy(update={"datasets": (), "definition": shortest})


def _build_export_job(
    dataset: DatasetObject, key: JobKey, build: BuildStatus, configuration: Configuration
) -> dict[str, Any]:
    """Return the Indexed Job with one completion for each part, all at once."""
    immutable = {
        "completionMode": "Indexed",
        "completions": build.parts,
        "backoffLimitPerIndex": RETRIES_PER_PART,
        "maxFailedIndexes": 0,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": build_failure_policy(key),
        "template": build_small_template(dataset, key, build.output, configuration),
    }
    return build_job(dataset, key, hash_inputs(key), immutable, {"parallelism": build.parts})
