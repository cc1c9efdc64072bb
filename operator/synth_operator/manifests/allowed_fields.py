"""Check of a pod template overlay against the list of what it may set, `synth_api.resources.pod_template`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from synth_api.errors import InputError
from synth_api.problems import quote_value
from synth_api.resources.base import explain_part_error, list_keys
from synth_api.resources.pod_template import PodTemplate
from synth_api.resources.reserved_names import TRUSTED
from synth_operator.manifests.permissions import (
    find_claim_problem,
    find_domain_problem,
    find_priority_problem,
    find_toleration_problem,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from synth_operator.configuration import Configuration


def check_allowed_fields(path: str, overlay: Mapping[str, Any], configuration: Configuration) -> None:
    """Raise InputError for the first field that is not on the list, or whose value the configuration does not allow."""
    try:
        template = PodTemplate.model_validate(overlay)
    except ValidationError as error:
        problem = explain_part_error(error, _describe_unknown_key)
        raise InputError(f"{path}.{problem.path}", problem.problem) from error
    for key, sentence in _list_unlisted_values(template, configuration):
        if sentence:
            raise InputError(f"{path}.{key}", sentence)


def _describe_unknown_key(details: ErrorDetails) -> str:
    allowed = ", ".join(sorted(list_keys(PodTemplate, details["loc"][:-1])))
    return f"{quote_value(details['input'])} is not allowed; here an overlay may set only {allowed}; {TRUSTED}"


def _list_unlisted_values(template: PodTemplate, configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield paths with why their values are not allowed, or with nothing."""
    metadata, spec = template.metadata, template.spec
    for kind, keys in (("labels", metadata.labels), ("annotations", metadata.annotations)):
        for key in keys:
            yield f"metadata.{kind}.{key}", find_domain_problem(key, configuration)
    if spec.priority_class_name:
        yield "spec.priorityClassName", find_priority_problem(spec.priority_class_name, configuration)
    for index, toleration in enumerate(spec.tolerations):
        yield f"spec.tolerations[{index}]", find_toleration_problem(toleration, configuration)
    for index, volume in enumerate(spec.volumes):
        if volume.persistent_volume_claim:
            problem = find_claim_problem(volume.persistent_volume_claim.claim_name, configuration)
            yield f"spec.volumes[{index}].persistentVolumeClaim.claimName", problem
