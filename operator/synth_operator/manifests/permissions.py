"""What sweeps may use of the cluster, as the operator's configuration lists it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_api.errors import InputError
from synth_api.resources.endpoints import is_reserved_host, split_endpoint
from synth_api.resources.image_reference import ImageReference
from synth_api.resources.reserved_names import find_domain
from synth_operator.configuration import is_system_class

if TYPE_CHECKING:
    from collections.abc import Iterable

    from synth_api.resources.output import Output
    from synth_api.resources.pod_template import Toleration
    from synth_operator.configuration import Configuration


def find_image_problem(image: str, configuration: Configuration) -> str:
    """Return why sweeps may not name this image, or nothing."""
    known = (configuration.renderer_image, *configuration.allowed_images)
    if configuration.overlay.trusted or image == configuration.renderer_image:
        return ""
    try:
        reference = ImageReference.parse(image)
    except InputError as error:
        return error.problem
    if any(ImageReference.parse(each).allows(reference) for each in configuration.allowed_images):
        return ""
    return (
        f"the operator does not allow '{image}'; allowed are: {_join_names(known)} (sweeps.allowedImages of the chart)"
    )


def find_account_problem(name: str, configuration: Configuration) -> str:
    """Return why sweeps may not open their store with this service account, or nothing."""
    known = configuration.allowed_service_accounts
    if name in known:
        return ""
    return (
        f"the operator does not allow '{name}'; allowed are: {_join_names(known)} "
        "(sweeps.allowedServiceAccounts of the chart)"
    )


def find_endpoint_problem(output: Output, configuration: Configuration) -> str:
    """Return why sweeps may not have this store, or nothing."""
    if is_reserved_host(split_endpoint(output)[0]):
        return f"'{output.endpoint}' is an address of the pod itself, of its link or of the API server; name a store"
    if not configuration.allowed_endpoints or configuration.knows_endpoint(output):
        return ""
    return (
        f"the operator does not allow '{output.endpoint}'; allowed are: {_join_names(configuration.allowed_endpoints)} "
        "(sweeps.allowedEndpoints of the chart)"
    )


def find_priority_problem(name: str, configuration: Configuration) -> str:
    """Return why sweeps may not name this priority class, or nothing."""
    if is_system_class(name):
        return f"'{name}' belongs to pods of Kubernetes, before which all others give way; choose another class"
    if configuration.overlay.trusted or name in configuration.priority_classes:
        return ""
    allowed = _join_names(configuration.priority_classes)
    return f"the operator does not allow '{name}'; allowed are: {allowed} (sweeps.priorityClasses of the chart)"


def find_toleration_problem(toleration: Toleration, configuration: Configuration) -> str:
    """Return why sweeps may not have this toleration, or nothing."""
    known = (*configuration.overlay.tolerations, *configuration.gpu.tolerations)
    if configuration.overlay.trusted or any(each.covers(toleration) for each in known):
        return ""
    allowed = _join_names(map(_format_toleration, known))
    return (
        f"the operator does not allow to tolerate {_format_toleration(toleration)}; allowed are: {allowed} "
        "(sweeps.overlay.tolerations of the chart)"
    )


def find_claim_problem(name: str, configuration: Configuration) -> str:
    """Return why sweeps may not mount this claim, or nothing."""
    claims = configuration.overlay.claims
    if name in claims:
        return ""
    return (
        f"the operator does not allow the claim '{name}'; allowed are: {_join_names(claims)} "
        "(sweeps.overlay.claims of the chart)"
    )


def find_domain_problem(key: str, configuration: Configuration) -> str:
    """Return why sweeps may not set the label or annotation of this key, or nothing."""
    domain = find_domain(key, configuration.overlay.reserved_domains)
    if not domain:
        return ""
    return (
        f"is in the reserved domain {domain}; choose a name in a domain of yours "
        "(sweeps.overlay.reservedDomains of the chart)"
    )


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _format_toleration(toleration: Toleration) -> str:
    """Return a toleration as `kubectl taint` writes its taint."""
    value = "" if toleration.operator == "Exists" else f"={toleration.value or ''}"
    effect = f":{toleration.effect}" if toleration.effect else ""
    seconds = f" for {toleration.toleration_seconds} s" if toleration.toleration_seconds is not None else ""
    return f"{toleration.key or 'every taint'}{value if toleration.key else ''}{effect}{seconds}"
