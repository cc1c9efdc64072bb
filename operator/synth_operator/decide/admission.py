"""Admission: checks of a valid sweep against the operator's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.jobs.messages import JobKind
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_operator.manifests.names import JobKey
from synth_operator.manifests.permissions import (
    find_account_problem,
    find_endpoint_problem,
    find_image_problem,
    find_priority_problem,
    find_toleration_problem,
)
from synth_operator.manifests.render_pod import build_render_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.resources.output import Output
    from synth_operator.configuration import Configuration
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.validation import ValidatedSweep


def admit_sweep(
    sweep: SweepObject, validation: ValidatedSweep | Problem, configuration: Configuration
) -> ValidatedSweep | Problem:
    """Return the sweep to plan, or the first problem that forbids planning it."""
    if sweep.problem:
        return Problem(reason=Reason.SWEEP_INVALID, message=f"The sweep is invalid: {sweep.problem}.")
    if isinstance(validation, Problem):
        return validation
    return find_forbidden(sweep, validation.output, configuration) or validation


def find_forbidden(sweep: SweepObject, output: Output, configuration: Configuration) -> Problem | None:
    """Return what the configuration does not allow in a sweep with this output, or None."""
    return _check_permissions(sweep, output, configuration) or _check_pod_template(sweep, output, configuration)


def _check_permissions(sweep: SweepObject, output: Output, configuration: Configuration) -> Problem | None:
    for path, problem in _list_refusals(sweep, output, configuration):
        if problem:
            return Problem(reason=Reason.NOT_ALLOWED, message=f"spec.{path}: {problem}.")
    return None


def _list_refusals(sweep: SweepObject, output: Output, configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield fields with why the configuration does not allow their values, or with nothing."""
    spec = sweep.spec
    if spec.image:
        yield "image", find_image_problem(spec.image, configuration)
    if spec.output:
        yield "output.endpoint", find_endpoint_problem(spec.output, configuration)
    if output.service_account_name and output != configuration.find_output(sweep.namespace):
        yield "output.serviceAccountName", find_account_problem(output.service_account_name, configuration)
    if spec.priority_class_name:
        yield "priorityClassName", find_priority_problem(spec.priority_class_name, configuration)
    for index, toleration in enumerate((spec.gpu and spec.gpu.tolerations) or ()):
        yield f"gpu.tolerations[{index}]", find_toleration_problem(toleration, configuration)


def _check_pod_template(sweep: SweepObject, output: Output, configuration: Configuration) -> Problem | None:
    if sweep.spec.pod_template is None:
        return None
    try:
        build_render_template(sweep, JobKey(JobKind.RENDER, ""), output, configuration)
    except InputError as error:
        return Problem(reason=Reason.POD_TEMPLATE_INVALID, message=f"The pod template is invalid: {error}.")
    return None
