"""Pod Security `restricted` and a read-only root file system: what every pod gets, and what is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError
from synth_operator.manifests.merge import merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

POD_CONTEXT: Final = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER_CONTEXT: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
_ADDABLE: Final = "NET_BIND_SERVICE"
_SELINUX_TYPES: Final = (None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SYSCTLS: Final = (
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
_VOLUMES: Final = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
)


def hardened(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A pod spec whose pod and containers have the restricted context wherever they do not say otherwise."""
    tree: dict[str, Any] = dict(spec)
    tree["securityContext"] = merged(POD_CONTEXT, spec.get("securityContext") or {})
    for kind in ("initContainers", "containers"):
        if spec.get(kind):
            tree[kind] = [_hardened_container(container) for container in spec[kind]]
    return tree


def check_restricted(path: str, spec: Mapping[str, Any]) -> None:
    """Raises InputError at the first thing in a pod spec that `restricted` forbids, or a writable root file system."""
    for where, problem in _weaknesses(spec):
        raise InputError(
            f"{path}.{where}", f"{problem}; the operator's configuration does not allow a weaker security context"
        )


def _hardened_container(container: Mapping[str, Any]) -> dict[str, Any]:
    return {**container, "securityContext": merged(CONTAINER_CONTEXT, container.get("securityContext") or {})}


def _weaknesses(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    pod = spec["securityContext"]
    yield from _identity("securityContext", pod, required=True)
    for index, sysctl in enumerate(pod.get("sysctls") or ()):
        if sysctl.get("name") not in _SYSCTLS:
            yield f"securityContext.sysctls[{index}]", f"the sysctl '{sysctl.get('name')}' is not safe"
    for index, volume in enumerate(spec.get("volumes") or ()):
        for kind in volume:
            if kind not in ("name", *_VOLUMES):
                yield f"volumes[{index}].{kind}", f"volumes may only be {', '.join(_VOLUMES)}"
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _container(f"{kind}[{index}].securityContext", container["securityContext"])


def _container(where: str, context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _identity(where, context, required=False)
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
    if set(capabilities.get("add") or ()) - {_ADDABLE}:
        yield f"{where}.capabilities.add", f"may only have {_ADDABLE}"


def _identity(where: str, context: Mapping[str, Any], *, required: bool) -> Iterator[tuple[str, str]]:
    """What pods and containers have in common."""
    if context.get("runAsNonRoot", not required) is not True:
        yield f"{where}.runAsNonRoot", "must be true"
    if context.get("runAsUser") == 0:
        yield f"{where}.runAsUser", "must not be 0"
    for profile in ("seccompProfile", "appArmorProfile"):
        if (context.get(profile) or {}).get("type", "RuntimeDefault") not in ("RuntimeDefault", "Localhost"):
            yield f"{where}.{profile}.type", "must be RuntimeDefault or Localhost"
    linux = context.get("seLinuxOptions") or {}
    if linux.get("type") not in _SELINUX_TYPES or linux.get("user") or linux.get("role"):
        yield f"{where}.seLinuxOptions", "may only have a container's type"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{where}.windowsOptions.hostProcess", "must not be true"
