"""attempt.json, and the ConfigMap that carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_api.jobs.attempt_input import INPUT_FILE, AttemptInput
from synth_api.jobs.names import HASH_ANNOTATION, input_name
from synth_api.version import ENGINE_VERSION
from synth_operator.manifests.names import labels, metadata

if TYPE_CHECKING:
    from synth_api.resources.output import Output
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.validation import Checked


def attempt_input(sweep: SweepObject, checked: Checked, attempt: str) -> AttemptInput:
    """What the pods of an attempt read."""
    spec = sweep.spec
    return AttemptInput(
        namespace=sweep.namespace,
        name=sweep.name,
        recipe_name=checked.recipe_name,
        recipe=checked.recipe.recipe,
        fragments=checked.recipe.fragments,
        overrides=spec.overrides,
        axes=spec.axes,
        exclude=spec.exclude,
        output=checked.output,
        parallelism=spec.parallelism,
        batch_size=spec.batch_size,
        engine_version=ENGINE_VERSION,
        plan=checked.plan,
        attempt=attempt,
    )


def deletion_input(sweep: SweepObject, output: Output) -> AttemptInput:
    """What a delete Job reads: a place in a store, no recipe, which may be gone by then."""
    return AttemptInput(
        namespace=sweep.namespace,
        name=sweep.name,
        recipe_name=sweep.name,
        recipe={},
        output=output,
        parallelism=1,
        engine_version=ENGINE_VERSION,
        plan=sweep.status.plan,
        attempt=sweep.status.attempt.hash if sweep.status.attempt else "",
    )


def input_map(sweep: SweepObject, checked: Checked, attempt: str) -> dict[str, Any]:
    """The ConfigMap; its content never changes."""
    content = attempt_input(sweep, checked, attempt).model_dump_json(exclude_none=True)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(
            sweep, input_name(sweep.name, attempt), labels(sweep, attempt), {HASH_ANNOTATION: attempt}
        ),
        "immutable": True,
        "data": {INPUT_FILE: content},
    }
