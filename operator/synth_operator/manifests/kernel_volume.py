"""The volume of a GPU pod on which compiled kernels outlive it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kubernetes.utils.quantity import parse_quantity

from synth_api.jobs.kernel_cache import (
    DRIVER_VARIABLES,
    KERNEL_CACHE_BYTES_VARIABLE,
    KERNEL_CACHE_FOLDER,
    KERNEL_CACHE_VARIABLE,
)

if TYPE_CHECKING:
    from synth_operator.configuration import KernelCacheVolume

_NAME: Final = "kernels"
_GROUP: Final = 10001
"""Group that may write to a claim; as a user of the pod's volumes it fits images with any user."""


def list_kernel_variables(cache: KernelCacheVolume, namespace: str) -> dict[str, str]:
    """Return the variables by which a GPU pod finds the caches of compiled kernels."""
    if not cache.is_for(namespace):
        return DRIVER_VARIABLES
    return DRIVER_VARIABLES | {
        KERNEL_CACHE_VARIABLE: KERNEL_CACHE_FOLDER,
        KERNEL_CACHE_BYTES_VARIABLE: str(int(parse_quantity(cache.size))),
    }


def mount_kernel_cache(spec: dict[str, Any], cache: KernelCacheVolume, namespace: str) -> None:
    """Add the volume to a pod spec. A node's folder has one folder for each namespace, as the default store has."""
    if not cache.is_for(namespace):
        return
    mount = {"name": _NAME, "mountPath": KERNEL_CACHE_FOLDER}
    if cache.host_path:
        spec["volumes"].append({"name": _NAME, "hostPath": {"path": cache.host_path.path, "type": "DirectoryOrCreate"}})
        mount["subPath"] = namespace
    elif cache.claim:
        spec["volumes"].append({"name": _NAME, "persistentVolumeClaim": {"claimName": cache.claim.name}})
        spec["securityContext"] = {"fsGroup": _GROUP, "fsGroupChangePolicy": "OnRootMismatch"}
    for container in spec["containers"]:
        container["volumeMounts"].append(mount)
