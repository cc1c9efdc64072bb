"""The pod template overlay of a sweep: what it may say, merged over the operator's own template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError
from synth_operator.manifests.merge import merged
from synth_operator.manifests.pod_schema import check_pod_template
from synth_operator.manifests.restricted import check_restricted, hardened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from synth_operator.configuration import Configuration

PATH: Final = "spec.podTemplate"
_OWN_LABELS: Final = ("synth-operator.io/", "app.kubernetes.io/", "batch.kubernetes.io/")
_OWN_SPEC: Final = ("restartPolicy", "activeDeadlineSeconds", "ephemeralContainers", "nodeName", "hostUsers")
_OWN_CONTAINER: Final = ("command", "args", "workingDir", "terminationMessagePath", "terminationMessagePolicy", "tty")
_HOST: Final = ("hostNetwork", "hostPID", "hostIPC")


def overlaid(template: Mapping[str, Any], overlay: Mapping[str, Any] | None, rules: Configuration) -> dict[str, Any]:
    """The template with a sweep's overlay merged over it, restricted wherever it does not say otherwise.

    Raises:
        InputError: the overlay is no pod template, changes what belongs to the operator, or what `rules` do not allow.
    """
    overlay = overlay or {}
    check_pod_template(PATH, overlay)
    for path, problem in _refused(template, overlay, rules):
        raise InputError(f"{PATH}.{path}", problem)
    tree: dict[str, Any] = merged(dict(template), dict(overlay))
    tree["spec"] = hardened(tree["spec"])
    if not rules.overlay.security_context:
        check_restricted(f"{PATH}.spec", tree["spec"])
    return tree


def image_allowed(image: str, rules: Configuration) -> bool:
    """Whether sweeps may name an image."""
    return image == rules.renderer_image or image.startswith(tuple(rules.allowed_images))


def _refused(
    template: Mapping[str, Any], overlay: Mapping[str, Any], rules: Configuration
) -> Iterator[tuple[str, str]]:
    spec = overlay.get("spec") or {}
    yield from _metadata(overlay.get("metadata") or {})
    for key in _OWN_SPEC:
        if key in spec:
            yield f"spec.{key}", "belongs to the operator; take it out"
    yield from _accounts(spec, rules)
    yield from _volumes(template, spec, rules)
    if not rules.overlay.host_access:
        yield from _host(spec)
    own = template["spec"]["containers"][0]["name"]
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _container(f"spec.{kind}[{index}]", container, own if kind == "containers" else None, rules)


def _metadata(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in metadata:
        if key not in ("labels", "annotations"):
            yield f"metadata.{key}", "may not be set; only labels and annotations"
    for kind in ("labels", "annotations"):
        for key in metadata.get(kind) or {}:
            if key.startswith(_OWN_LABELS):
                yield f"metadata.{kind}.{key}", "belongs to the operator; choose another name"


def _accounts(spec: Mapping[str, Any], rules: Configuration) -> Iterator[tuple[str, str]]:
    named = {spec[key] for key in ("serviceAccountName", "serviceAccount") if spec.get(key)}
    for name in sorted(named - set(rules.allowed_service_accounts)):
        yield (
            "spec.serviceAccountName",
            f"the operator's configuration does not allow '{name}'; allowed are: {_list(rules)}",
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


def _list(rules: Configuration) -> str:
    return ", ".join(rules.allowed_service_accounts) or "none"


def _volumes(template: Mapping[str, Any], spec: Mapping[str, Any], rules: Configuration) -> Iterator[tuple[str, str]]:
    own = {volume["name"] for volume in template["spec"]["volumes"]} - {"scratch"}
    for index, volume in enumerate(spec.get("volumes") or ()):
        if not volume.get("name"):
            yield f"spec.volumes[{index}].name", "is missing; name the volume"
        if volume.get("name") in own:
            yield f"spec.volumes[{index}].name", f"'{volume['name']}' belongs to the operator; choose another name"
        if "hostPath" in volume and not rules.overlay.host_access:
            yield f"spec.volumes[{index}].hostPath", "the operator's configuration does not allow access to the host"


def _host(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _HOST:
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


def _container(
    path: str, container: Mapping[str, Any], own: str | None, rules: Configuration
) -> Iterator[tuple[str, str]]:
    if own and container.get("name") != own:
        yield (
            f"{path}.name",
            f"only the container '{own}' can be changed; write others as initContainers with `restartPolicy: Always`",
        )
    if not container.get("name"):
        yield f"{path}.name", "is missing; name the container"
    for key in _OWN_CONTAINER if own else ():
        if key in container:
            yield f"{path}.{key}", "belongs to the operator; take it out"
    image = container.get("image")
    if own and image:
        yield f"{path}.image", "belongs to spec.image; write it there"
    if image and not rules.overlay.images and not image_allowed(image, rules):
        yield f"{path}.image", f"the operator's configuration does not allow the image '{image}'"
