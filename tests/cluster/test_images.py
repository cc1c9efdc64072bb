"""Both images: size, contents, labels, and a pod under the `restricted` standard."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from harness.images import OPERATOR, RENDERER, run_buildah
from servers import ROOT
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster

RECIPE = ROOT / "recipes" / "spheres_sem_signal.yaml"
RENDER = """
import os, sys
from pathlib import Path
from synth_api.composition.compose import compose_recipe, resolve
from synth_api.recipe.parsing import parse_recipe
from synth_api.composition.source import read_recipe
from synth_renderer.engine import render

kernels = Path(os.environ["NUMBA_CACHE_DIR"])
cached = set(kernels.rglob("*.nbc"))
folder = Path("/scratch/run")
folder.mkdir()
done = render(parse_recipe(resolve(compose_recipe(read_recipe(Path("/input/recipe.yaml")), ()))), folder, "cpu")
compiled = sorted(path.name for path in set(kernels.rglob("*.nbc")) - cached)
print(len(cached), "kernels cached; compiled:", compiled, "; visible:", done.visible, flush=True)
os._exit(0 if cached and not compiled and done.visible else 1)
"""


@pytest.fixture(params=[OPERATOR, RENDERER])
def unpacked(request: pytest.FixtureRequest, bare_cluster: Cluster) -> Iterator[tuple[str, Path]]:
    """An image and the folder where it is mounted."""
    container = run_buildah("from", request.param).strip()
    yield request.param, Path(run_buildah("mount", container).strip())
    run_buildah("rm", container)


def test_an_image_is_small_and_has_no_packages_of_development(unpacked: tuple[str, Path]) -> None:
    image, root = unpacked
    links = {(file.st_ino, file.st_size) for path in root.rglob("*") if (file := path.lstat())}
    megabytes = sum(size for _, size in links) / 1e6
    packages = {path.name for path in (root / "opt/synth/lib/python3.11/site-packages").iterdir()}

    assert megabytes <= {OPERATOR: 600, RENDERER: 2000}[image]
    assert ("bpy" in packages) == (image == RENDERER)
    assert not packages & {"pip", "setuptools", "pytest", "synth_cli"}


@pytest.mark.parametrize("unpacked", [RENDERER], indirect=True)
def test_the_renderer_has_no_compiler_and_no_gpu_code_that_it_cannot_use(unpacked: tuple[str, Path]) -> None:
    _, root = unpacked
    kernels = {path.name for path in root.glob("opt/synth/lib/*/site-packages/bpy/*/scripts/addons_core/cycles/lib/*")}

    assert not list(root.rglob("ptxas"))
    assert {"kernel_sm_86.cubin.zst", "kernel_compute_75.ptx.zst"} <= kernels
    assert not any("gfx" in name or name.startswith("kernel_sm_3") for name in kernels)
    assert "kernel_sm_90.cubin.zst" not in kernels  # images for tests are built without


def test_an_image_has_user_version_licence_and_source(unpacked: tuple[str, Path]) -> None:
    image, _ = unpacked
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    settings = json.loads(run_buildah("inspect", "--type=image", image))["OCIv1"]["config"]
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in settings["Labels"].items()}

    assert settings["User"] == "10001:10001"
    assert labels["version"] == version
    assert labels["licenses"] == {OPERATOR: "Apache-2.0", RENDERER: "GPL-3.0-or-later"}[image]
    assert labels["source"].startswith("https://")


def test_a_pod_of_the_renderer_compiles_no_kernel(bare_cluster: Cluster) -> None:
    files = {"render.py": RENDER, "recipe.yaml": RECIPE.read_text()}
    script = 'cp -r /opt/synth/kernels "$NUMBA_CACHE_DIR" && exec python /input/render.py'
    bare_cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kernels"}, "data": files},
        build_restricted_pod(script),
    )

    wait_until(lambda: read_phase(bare_cluster) in {"Succeeded", "Failed"}, lambda: read_phase(bare_cluster))

    assert read_phase(bare_cluster) == "Succeeded", bare_cluster.kubectl("logs", "kernels")
    bare_cluster.kubectl("delete", "pod/kernels", "configmap/kernels")


def read_phase(cluster: Cluster) -> str:
    return str(cluster.get_object("pod", "kernels")["status"]["phase"])


def build_restricted_pod(script: str) -> dict[str, Any]:
    """Return a pod that meets the `restricted` pod security standard and has a read-only root file system."""
    container = {
        "name": "render",
        "image": RENDERER,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", script],
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}, {"name": "input", "mountPath": "/input"}],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "input", "configMap": {"name": "kernels"}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "kernels"}, "spec": spec}
