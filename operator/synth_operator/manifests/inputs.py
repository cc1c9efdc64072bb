"""attempt.json, the input of an attempt's pods, and its ConfigMap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_api.jobs.attempt_input import AttemptInput
from synth_api.jobs.names import HASH_ANNOTATION, build_input_name
from synth_api.version import ENGINE_VERSION
from synth_operator.manifests.names import build_labels, build_metadata
from synth_operator.manifests.pods import INPUT_FILES

if TYPE_CHECKING:
    from synth_api.resources.base import Part
    from synth_api.resources.output import Output
    from synth_operator.configuration import Configuration
    from synth_operator.kube.owner import Owner
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.validation import ValidatedSweep


def build_attempt_input(
    sweep: SweepObject, validated: ValidatedSweep, attempt: str, configuration: Configuration
) -> AttemptInput:
    """Return the input that the pods of an attempt read."""
    spec = sweep.spec
    return AttemptInput(
        namespace=sweep.namespace,
        name=sweep.name,
        recipe_name=validated.recipe_name,
        recipe=validated.recipe.recipe,
        fragments=validated.recipe.fragments,
        overrides=spec.overrides,
        axes=spec.axes,
        exclude=spec.exclude,
        dataset=spec.dataset,
        output=validated.output,
        endpoint_is_known=configuration.knows_endpoint(validated.output),
        parallelism=spec.parallelism,
        batch_size=spec.batch_size,
        packaging=spec.packaging,
        engine_version=ENGINE_VERSION,
        plan=validated.plan,
        attempt=attempt,
    )


def build_deletion_input(sweep: SweepObject, output: Output, configuration: Configuration) -> AttemptInput:
    """Return the input of a delete Job: a location in a store, without the recipe, which may be deleted by then."""
    return AttemptInput(
        namespace=sweep.namespace,
        name=sweep.name,
        recipe_name=sweep.name,
        recipe={},
        output=output,
        endpoint_is_known=configuration.knows_endpoint(output),
        parallelism=1,
        engine_version=ENGINE_VERSION,
        plan=sweep.status.plan,
        attempt=sweep.status.attempt.hash if sweep.status.attempt else "",
    )


def build_input_config_map(
    sweep: SweepObject, validated: ValidatedSweep, attempt: str, configuration: Configuration
) -> dict[str, Any]:
    """Return the manifest of the immutable ConfigMap with an attempt's input."""
    return wrap_input(sweep, attempt, build_attempt_input(sweep, validated, attempt, configuration))


def wrap_input(owner: Owner, attempt: str, given: Part) -> dict[str, Any]:
    """Return the manifest of the immutable ConfigMap with the input of an attempt or build."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": build_metadata(
            owner, build_input_name(owner.name, attempt), build_labels(owner, attempt), {HASH_ANNOTATION: attempt}
        ),
        "immutable": True,
        "data": {INPUT_FILES[owner.resource]: given.model_dump_json(exclude_none=True)},
    }
