"""Pod Security `restricted` and a read-only root file system as defaults of every pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_operator.manifests.merge import merge

if TYPE_CHECKING:
    from collections.abc import Mapping

POD_CONTEXT: Final = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER_CONTEXT: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def harden_pod_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pod spec with the restricted security context as default of the pod and its containers."""
    tree: dict[str, Any] = dict(spec)
    tree["securityContext"] = merge(POD_CONTEXT, spec.get("securityContext") or {})
    for kind in ("initContainers", "containers"):
        if spec.get(kind):
            tree[kind] = [_harden_container(container) for container in spec[kind]]
    return tree


def _harden_container(container: Mapping[str, Any]) -> dict[str, Any]:
    return {**container, "securityContext": merge(CONTAINER_CONTEXT, container.get("securityContext") or {})}
