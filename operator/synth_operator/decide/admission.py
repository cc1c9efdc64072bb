"""What the configuration says about a sweep that is otherwise good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.jobs.messages import JobKind
from synth_api.reasons import Reason
from synth_api.resources.conditions import Problem
from synth_operator.manifests.names import Task
from synth_operator.manifests.overlay import image_allowed
from synth_operator.manifests.render_pod import render_template

if TYPE_CHECKING:
    from synth_operator.decide.context import View
    from synth_operator.validation import Checked


def admitted(view: View) -> Checked | Problem:
    """What is to be planned, or why nothing may be."""
    if view.sweep.problem:
        return Problem(reason=Reason.SWEEP_INVALID, message=f"The sweep is invalid: {view.sweep.problem}.")
    checked = view.observed.checked
    if isinstance(checked, Problem):
        return checked
    return _not_allowed(view, checked) or _invalid(view, checked) or checked


def _not_allowed(view: View, checked: Checked) -> Problem | None:
    image, account = view.spec.image, checked.output.service_account_name
    if image and not image_allowed(image, view.rules):
        known = ", ".join([view.rules.renderer_image, *(f"{prefix}…" for prefix in view.rules.allowed_images)])
        return Problem(
            reason=Reason.NOT_ALLOWED,
            message=f"spec.image: the operator does not allow '{image}'; allowed are {known}.",
        )
    if account and checked.output != view.rules.output and account not in view.rules.allowed_service_accounts:
        known = ", ".join(view.rules.allowed_service_accounts) or "none"
        return Problem(
            reason=Reason.NOT_ALLOWED,
            message=f"spec.output.serviceAccountName: the operator does not allow '{account}'; allowed are: {known}.",
        )
    return None


def _invalid(view: View, checked: Checked) -> Problem | None:
    if view.spec.pod_template is None:
        return None
    try:
        render_template(view.sweep, Task(JobKind.RENDER, ""), checked.output, view.rules)
    except InputError as error:
        return Problem(reason=Reason.POD_TEMPLATE_INVALID, message=f"The pod template is invalid: {error}.")
    return None
