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
    from synth_operator.decide.context import Context
    from synth_operator.validation import ValidatedSweep


def admit_sweep(context: Context) -> ValidatedSweep | Problem:
    """Return the sweep to plan, or the first problem that forbids planning it."""
    if context.sweep.problem:
        return Problem(reason=Reason.SWEEP_INVALID, message=f"The sweep is invalid: {context.sweep.problem}.")
    validation = context.observed.validation
    if isinstance(validation, Problem):
        return validation
    return _check_permissions(context, validation) or _check_pod_template(context, validation) or validation


def _check_permissions(context: Context, validated: ValidatedSweep) -> Problem | None:
    configuration = context.configuration
    image, account = context.spec.image, validated.output.service_account_name
    if image and not is_image_allowed(image, configuration):
        allowed = ", ".join([configuration.renderer_image, *(f"{prefix}…" for prefix in configuration.allowed_images)])
        return Problem(
            reason=Reason.NOT_ALLOWED,
            message=f"spec.image: the operator does not allow '{image}'; allowed are {allowed}.",
        )
    if account and validated.output != configuration.output and account not in configuration.allowed_service_accounts:
        allowed = ", ".join(configuration.allowed_service_accounts) or "none"
        return Problem(
            reason=Reason.NOT_ALLOWED,
            message=f"spec.output.serviceAccountName: the operator does not allow '{account}'; allowed are: {allowed}.",
        )
    return None


def _check_pod_template(context: Context, validated: ValidatedSweep) -> Problem | None:
    if context.spec.pod_template is None:
        return None
    try:
        build_render_template(context.sweep, JobKey(JobKind.RENDER, ""), validated.output, context.configuration)
    except InputError as error:
        return Problem(reason=Reason.POD_TEMPLATE_INVALID, message=f"The pod template is invalid: {error}.")
    return None
