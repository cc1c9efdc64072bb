"""Pod template overlay of a sweep: its checks, and its merge into the operator's template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError
from synth_operator.manifests.allowed_fields import check_allowed_fields
from synth_operator.manifests.merge import merge
from synth_operator.manifests.permissions import find_priority_problem
from synth_operator.manifests.pod_schema import check_pod_template
from synth_operator.manifests.restricted import harden_pod_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_operator.configuration import Configuration

OVERLAY_PATH: Final = "spec.podTemplate"
_RESERVED_PREFIXES: Final = ("synth-operator.io/", "app.kubernetes.io/", "batch.kubernetes.io/")
_RESERVED_LABELS: Final = ("job-name", "controller-uid")
_RESERVED_SPEC_FIELDS: Final = ("restartPolicy", "activeDeadlineSeconds", "ephemeralContainers")
_RESERVED_CONTAINER_FIELDS: Final = (
    "command",
    "args",
    "workingDir",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
)


def apply_overlay(
    template: Mapping[str, Any], overlay: Mapping[str, Any] | None, configuration: Configuration
) -> dict[str, Any]:
    """Return the template merged with a sweep's overlay, with the restricted security context as default.

    Raises:
        InputError: the overlay is no pod template, changes a field of the operator, or sets one that the
            configuration does not allow.
    """
    overlay = overlay or {}
    check_pod_template(OVERLAY_PATH, overlay)
    if configuration.overlay.trusted:
        _check_trusted_overlay(template, overlay, configuration)
    else:
        check_allowed_fields(OVERLAY_PATH, overlay, configuration)
    tree: dict[str, Any] = merge(dict(template), dict(overlay))
    tree["spec"] = harden_pod_spec(tree["spec"])
    return tree


def _check_trusted_overlay(
    template: Mapping[str, Any], overlay: Mapping[str, Any], configuration: Configuration
) -> None:
    """Raise InputError for the first field without which the operator cannot work, whoever may set it."""
    for path, problem in _list_violations(template, overlay, configuration):
        raise InputError(f"{OVERLAY_PATH}.{path}", problem)


def _list_violations(
    template: Mapping[str, Any], overlay: Mapping[str, Any], configuration: Configuration
) -> Iterator[tuple[str, str]]:
    spec = overlay.get("spec") or {}
    yield from _check_metadata(overlay.get("metadata") or {})
    for key in _RESERVED_SPEC_FIELDS:
        if key in spec:
            yield f"spec.{key}", "belongs to the operator; take it out"
    if problem := find_priority_problem(spec.get("priorityClassName") or "", configuration):
        yield "spec.priorityClassName", problem
    yield from _check_volumes(template, spec)
    own = template["spec"]["containers"][0]["name"]
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _check_container(f"spec.{kind}[{index}]", container, own if kind == "containers" else None)


def _check_metadata(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in metadata:
        if key not in ("labels", "annotations"):
            yield f"metadata.{key}", "may not be set; only labels and annotations"
    for kind in ("labels", "annotations"):
        for key in metadata.get(kind) or {}:
            if key.startswith(_RESERVED_PREFIXES) or key in _RESERVED_LABELS:
                yield f"metadata.{kind}.{key}", "belongs to the operator; choose another name"


def _check_volumes(template: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    own = {volume["name"] for volume in template["spec"]["volumes"]} - {"scratch"}
    for index, volume in enumerate(spec.get("volumes") or ()):
        if not volume.get("name"):
            yield f"spec.volumes[{index}].name", "is missing; name the volume"
        if volume.get("name") in own:
            yield f"spec.volumes[{index}].name", f"'{volume['name']}' belongs to the operator; choose another name"


def _check_container(path: str, container: Mapping[str, Any], own: str | None) -> Iterator[tuple[str, str]]:
    if own and container.get("name") != own:
        yield (
            f"{path}.name",
            f"only the container '{own}' can be changed; write others as initContainers with `restartPolicy: Always`",
        )
    if not container.get("name"):
        yield f"{path}.name", "is missing; name the container"
    for key in _RESERVED_CONTAINER_FIELDS if own else ():
        if key in container:
            yield f"{path}.{key}", "belongs to the operator; take it out"
    if own and container.get("image"):
        yield f"{path}.image", "belongs to spec.image; write it there"
