"""Pod template overlay of a sweep: its checks, and its merge into the operator's template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError
from synth_operator.manifests.merge import merge
from synth_operator.manifests.pod_schema import check_pod_template
from synth_operator.manifests.restricted import check_pod_security, harden_pod_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_operator.configuration import Configuration

OVERLAY_PATH: Final = "spec.podTemplate"
_RESERVED_PREFIXES: Final = ("synth-operator.io/", "app.kubernetes.io/", "batch.kubernetes.io/")
_RESERVED_SPEC_FIELDS: Final = (
    "restartPolicy",
    "activeDeadlineSeconds",
    "ephemeralContainers",
    "nodeName",
    "hostUsers",
)
_RESERVED_CONTAINER_FIELDS: Final = (
    "command",
    "args",
    "workingDir",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
)
_HOST_NAMESPACES: Final = ("hostNetwork", "hostPID", "hostIPC")


def apply_overlay(
    template: Mapping[str, Any], overlay: Mapping[str, Any] | None, configuration: Configuration
) -> dict[str, Any]:
    """Return the template merged with a sweep's overlay, with the restricted security context as default.

    Raises:
        InputError: the overlay is no pod template, changes a field of the operator, or one that the
            configuration does not allow.
    """
    overlay = overlay or {}
    check_pod_template(OVERLAY_PATH, overlay)
    for path, problem in _list_violations(template, overlay, configuration):
        raise InputError(f"{OVERLAY_PATH}.{path}", problem)
    tree: dict[str, Any] = merge(dict(template), dict(overlay))
    tree["spec"] = harden_pod_spec(tree["spec"])
    if not configuration.overlay.security_context:
        check_pod_security(f"{OVERLAY_PATH}.spec", tree["spec"])
    return tree


def is_image_allowed(image: str, configuration: Configuration) -> bool:
    """Return True if sweeps may name this image."""
    return image == configuration.renderer_image or image.startswith(tuple(configuration.allowed_images))


def _list_violations(
    template: Mapping[str, Any], overlay: Mapping[str, Any], configuration: Configuration
) -> Iterator[tuple[str, str]]:
    spec = overlay.get("spec") or {}
    yield from _check_metadata(overlay.get("metadata") or {})
    for key in _RESERVED_SPEC_FIELDS:
        if key in spec:
            yield f"spec.{key}", "belongs to the operator; take it out"
    yield from _check_accounts(spec, configuration)
    yield from _check_volumes(template, spec, configuration)
    if not configuration.overlay.host_access:
        yield from _check_host_access(spec)
    own = template["spec"]["containers"][0]["name"]
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _check_container(
                f"spec.{kind}[{index}]", container, own if kind == "containers" else None, configuration
            )


def _check_metadata(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in metadata:
        if key not in ("labels", "annotations"):
            yield f"metadata.{key}", "may not be set; only labels and annotations"
    for kind in ("labels", "annotations"):
        for key in metadata.get(kind) or {}:
            if key.startswith(_RESERVED_PREFIXES):
                yield f"metadata.{kind}.{key}", "belongs to the operator; choose another name"


def _check_accounts(spec: Mapping[str, Any], configuration: Configuration) -> Iterator[tuple[str, str]]:
    named = {spec[key] for key in ("serviceAccountName", "serviceAccount") if spec.get(key)}
    for name in sorted(named - set(configuration.allowed_service_accounts)):
        yield (
            "spec.serviceAccountName",
            f"the operator's configuration does not allow '{name}'; allowed are: {_format_accounts(configuration)}",
        )
    if spec.get("automountServiceAccountToken") and not named:
        yield "spec.automountServiceAccountToken", "needs a serviceAccountName that the operator's configuration allows"
    for index, volume in enumerate(spec.get("volumes") or ()):
        sources = (volume.get("projected") or {}).get("sources") or ()
        if not named and any("serviceAccountToken" in source for source in sources):
            yield (
                f"spec.volumes[{index}].projected",
                "a token needs a serviceAccountName that the operator's configuration allows",
            )


def _format_accounts(configuration: Configuration) -> str:
    return ", ".join(configuration.allowed_service_accounts) or "none"


def _check_volumes(
    template: Mapping[str, Any], spec: Mapping[str, Any], configuration: Configuration
) -> Iterator[tuple[str, str]]:
    own = {volume["name"] for volume in template["spec"]["volumes"]} - {"scratch"}
    for index, volume in enumerate(spec.get("volumes") or ()):
        if not volume.get("name"):
            yield f"spec.volumes[{index}].name", "is missing; name the volume"
        if volume.get("name") in own:
            yield f"spec.volumes[{index}].name", f"'{volume['name']}' belongs to the operator; choose another name"
        if "hostPath" in volume and not configuration.overlay.host_access:
            yield f"spec.volumes[{index}].hostPath", "the operator's configuration does not allow access to the host"


def _check_host_access(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _HOST_NAMESPACES:
        if spec.get(key):
            yield f"spec.{key}", "the operator's configuration does not allow access to the host"
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            for number, port in enumerate(container.get("ports") or ()):
                if port.get("hostPort"):
                    yield (
                        f"spec.{kind}[{index}].ports[{number}].hostPort",
                        "the operator's configuration does not allow access to the host",
                    )


def _check_container(
    path: str, container: Mapping[str, Any], own: str | None, configuration: Configuration
) -> Iterator[tuple[str, str]]:
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
    image = container.get("image")
    if own and image:
        yield f"{path}.image", "belongs to spec.image; write it there"
    if image and not configuration.overlay.images and not is_image_allowed(image, configuration):
        yield f"{path}.image", f"the operator's configuration does not allow the image '{image}'"
