"""Pod Security `restricted` and a read-only root file system: defaults for every pod, and their check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError
from synth_operator.manifests.merge import merge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

POD_CONTEXT: Final = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER_CONTEXT: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
_ALLOWED_CAPABILITY: Final = "NET_BIND_SERVICE"
_ALLOWED_SELINUX_TYPES: Final = (None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SAFE_SYSCTLS: Final = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
)
_ALLOWED_VOLUMES: Final = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
)


def harden_pod_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pod spec with the restricted security context as default of the pod and its containers."""
    tree: dict[str, Any] = dict(spec)
    tree["securityContext"] = merge(POD_CONTEXT, spec.get("securityContext") or {})
    for kind in ("initContainers", "containers"):
        if spec.get(kind):
            tree[kind] = [_harden_container(container) for container in spec[kind]]
    return tree


def check_pod_security(path: str, spec: Mapping[str, Any]) -> None:
    """Raise InputError for the first field that `restricted` forbids, or for a writable root file system."""
    for key, problem in _list_violations(spec):
        raise InputError(
            f"{path}.{key}", f"{problem}; the operator's configuration does not allow a weaker security context"
        )


def _harden_container(container: Mapping[str, Any]) -> dict[str, Any]:
    return {**container, "securityContext": merge(CONTAINER_CONTEXT, container.get("securityContext") or {})}


def _list_violations(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    pod = spec["securityContext"]
    yield from _check_identity("securityContext", pod, required=True)
    for index, sysctl in enumerate(pod.get("sysctls") or ()):
        if sysctl.get("name") not in _SAFE_SYSCTLS:
            yield f"securityContext.sysctls[{index}]", f"the sysctl '{sysctl.get('name')}' is not safe"
    for index, volume in enumerate(spec.get("volumes") or ()):
        for kind in volume:
            if kind not in ("name", *_ALLOWED_VOLUMES):
                yield f"volumes[{index}].{kind}", f"volumes may only be {', '.join(_ALLOWED_VOLUMES)}"
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _check_container(f"{kind}[{index}].securityContext", container["securityContext"])


def _check_container(where: str, context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _check_identity(where, context, required=False)
    if context.get("privileged"):
        yield f"{where}.privileged", "must not be true"
    if context.get("allowPrivilegeEscalation") is not False:
        yield f"{where}.allowPrivilegeEscalation", "must be false"
    if context.get("readOnlyRootFilesystem") is not True:
        yield f"{where}.readOnlyRootFilesystem", "must be true; write to /scratch"
    if context.get("procMount") not in (None, "Default"):
        yield f"{where}.procMount", "must be Default"
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or ()):
        yield f"{where}.capabilities.drop", "must have ALL"
    if set(capabilities.get("add") or ()) - {_ALLOWED_CAPABILITY}:
        yield f"{where}.capabilities.add", f"may only have {_ALLOWED_CAPABILITY}"


def _check_identity(where: str, context: Mapping[str, Any], *, required: bool) -> Iterator[tuple[str, str]]:
    """Yield the violations that are the same for pods and containers."""
    if context.get("runAsNonRoot", not required) is not True:
        yield f"{where}.runAsNonRoot", "must be true"
    if context.get("runAsUser") == 0:
        yield f"{where}.runAsUser", "must not be 0"
    for profile in ("seccompProfile", "appArmorProfile"):
        if (context.get(profile) or {}).get("type", "RuntimeDefault") not in ("RuntimeDefault", "Localhost"):
            yield f"{where}.{profile}.type", "must be RuntimeDefault or Localhost"
    linux = context.get("seLinuxOptions") or {}
    if linux.get("type") not in _ALLOWED_SELINUX_TYPES or linux.get("user") or linux.get("role"):
        yield f"{where}.seLinuxOptions", "may only have a container's type"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{where}.windowsOptions.hostProcess", "must not be true"
