"""The operator, installed by its chart as users install it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from servers import ROOT
from waiting import wait_until

if TYPE_CHECKING:
    from harness.client import Client

OPERATOR_NAMESPACE: Final = "synth"
LIMITED_NAMESPACE: Final = "limited"
"""Name of the namespace with limits."""
_LIMITS: Final = (
    "limits.default.gpuHoursPerDay=1000",
    f"limits.namespaces.{LIMITED_NAMESPACE}.sweeps=2",
    f"limits.namespaces.{LIMITED_NAMESPACE}.pods=3",
)
KERNEL_NAMESPACES: Final = ("kernels-allowed", "kernels-forbidden")
"""Names of the namespaces whose GPU pods have a kernel cache on their node."""
KERNEL_FOLDER: Final = "/run/synth-kernels"
"""Folder of the node with this cache."""
_KERNEL_CACHE: Final = (
    f"sweeps.gpu.kernelCache.hostPath.path={KERNEL_FOLDER}",
    f"sweeps.gpu.kernelCache.hostPath.namespaces={{{','.join(KERNEL_NAMESPACES)}}}",
)
DEFAULT_PREFIX: Final = "default"
"""Prefix of the chart's default output."""


def install_operator(cluster: Client, *settings: str) -> None:
    """Install or upgrade the chart with these `--set` values and wait until the operator is ready."""
    wait_until(lambda: _has_namespace(cluster, "default"), "the API server lists no namespaces")
    cluster.helm(
        *(
            "upgrade",
            "--install",
            "synth",
            str(ROOT / "charts" / "synth-operator"),
            f"--namespace={OPERATOR_NAMESPACE}",
        ),
        *("--create-namespace", "--wait", "--timeout=300s"),
        *(
            f"--set={setting}"
            for setting in (*_image_settings(cluster), *_store_settings(cluster), *_LIMITS, *_KERNEL_CACHE, *settings)
        ),
    )


def _store_settings(cluster: Client) -> list[str]:
    """Default output: sweeps that set none write below a folder of their namespace."""
    output = {"endpoint": cluster.store_endpoint, "bucket": "datasets", "prefix": DEFAULT_PREFIX, "insecure": "true"}
    return [
        *(f"sweeps.output.{key}={value}" for key, value in output.items()),
        "sweeps.output.secretRef.name=dataset-store",
    ]


def _image_settings(cluster: Client) -> list[str]:
    """Both images; sweeps may name others of the renderer's repository, and mount trial engines."""
    names = zip(("image", "renderer.image"), cluster.images, strict=True)
    parts = ((key, *image.rsplit(":", 1)) for key, image in names)
    settings = [setting for key, name, tag in parts for setting in (f"{key}.repository={name}", f"{key}.tag={tag}")]
    repository = cluster.images[1].rsplit(":", 1)[0]
    return [*settings, f"sweeps.allowedImages={{{repository}}}", "sweeps.overlay.trusted=true"]


def _has_namespace(cluster: Client, name: str) -> bool:
    return any(item["metadata"]["name"] == name for item in cluster.get_object("namespaces")["items"])
