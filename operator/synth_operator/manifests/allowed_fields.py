"""Check of a pod template overlay against the list of what it may set, `synth_api.resources.pod_template`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from synth_api.errors import InputError
from synth_api.problems import convert_validation_error, quote_value
from synth_api.resources.base import list_keys
from synth_api.resources.pod_template import PodTemplate
from synth_api.resources.reserved_names import TRUSTED
from synth_operator.manifests.permissions import find_claim_problem, find_priority_problem, find_toleration_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_api.resources.pod_template import OverlaySpec
    from synth_operator.configuration import Configuration


def check_allowed_fields(path: str, overlay: Mapping[str, Any], configuration: Configuration) -> None:
    """Raise InputError for the first field that is not on the list, or whose value the configuration does not allow."""
    try:
        template = PodTemplate.model_validate(overlay)
    except ValidationError as error:
        problem = _explain_error(error)
        raise InputError(f"{path}.{problem.path}", problem.problem) from error
    for key, sentence in _list_unlisted_values(template.spec, configuration):
        if sentence:
            raise InputError(f"{path}.spec.{key}", sentence)


def _explain_error(error: ValidationError) -> InputError:
    details = error.errors(include_url=False)[0]
    problem = convert_validation_error(error)
    match details["type"]:
        case "missing":
            return InputError(problem.path, "is missing; give it a value")
        case "extra_forbidden":
            allowed = ", ".join(sorted(list_keys(PodTemplate, details["loc"][:-1])))
            return InputError(
                problem.path,
                f"{quote_value(details['input'])} is not allowed; here an overlay may set only {allowed}; {TRUSTED}",
            )
        case _:
            return problem


def _list_unlisted_values(spec: OverlaySpec, configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield paths with why their values are not allowed, or with nothing."""
    if spec.priority_class_name:
        yield "priorityClassName", find_priority_problem(spec.priority_class_name, configuration)
    for index, toleration in enumerate(spec.tolerations):
        yield f"tolerations[{index}]", find_toleration_problem(toleration, configuration)
    for index, volume in enumerate(spec.volumes):
        if volume.persistent_volume_claim:
            problem = find_claim_problem(volume.persistent_volume_claim.claim_name, configuration)
            yield f"volumes[{index}].persistentVolumeClaim.claimName", problem
