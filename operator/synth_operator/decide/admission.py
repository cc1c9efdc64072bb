"""Admission: checks of a valid sweep against the operator's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.jobs.messages import JobKind
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_operator.manifests.names import JobKey
from synth_operator.manifests.overlay import is_image_allowed
from synth_operator.manifests.render_pod import build_render_template

if TYPE_CHECKING:
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
    image, account = sweep.spec.image, output.service_account_name
    if image and not is_image_allowed(image, configuration):
        allowed = ", ".join([configuration.renderer_image, *(f"{prefix}…" for prefix in configuration.allowed_images)])
        return Problem(
            reason=Reason.NOT_ALLOWED,
            message=f"spec.image: the operator does not allow '{image}'; allowed are {allowed}.",
        )
    default = configuration.find_output(sweep.namespace)
    if account and output != default and account not in configuration.allowed_service_accounts:
        allowed = ", ".join(configuration.allowed_service_accounts) or "none"
        return Problem(
            reason=Reason.NOT_ALLOWED,
            message=f"spec.output.serviceAccountName: the operator does not allow '{account}'; allowed are: {allowed}.",
        )
    return None


def _check_pod_template(sweep: SweepObject, output: Output, configuration: Configuration) -> Problem | None:
    if sweep.spec.pod_template is None:
        return None
    try:
        build_render_template(sweep, JobKey(JobKind.RENDER, ""), output, configuration)
    except InputError as error:
        return Problem(reason=Reason.POD_TEMPLATE_INVALID, message=f"The pod template is invalid: {error}.")
    return None
