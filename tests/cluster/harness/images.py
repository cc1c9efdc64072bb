"""Images for the clusters: built with buildah and unpacked once for all clusters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from servers import ROOT, cache_folder

from harness.commands import CommandError, run_command
from harness.lock import hold_lock
from harness.node_files import PAUSE_IMAGE
from harness.slot import find_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BASE_IMAGE: Final = "docker.io/library/debian:bookworm-slim"
MINIO_IMAGE: Final = "localhost/minio:local"
TAG: Final = "test"
OPERATOR: Final = f"localhost/synth-operator:{TAG}"
RENDERER: Final = f"localhost/synth-renderer:{TAG}"


def build_environment() -> dict[str, str]:
    """Return the environment of buildah, whose images for tests lie apart from the machine's other images."""
    folder = cache_folder() / "containers"
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "storage.conf"
    settings.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(settings), "STORAGE_DRIVER": "overlay"}


def run_buildah(*arguments: str | Path) -> str:
    """Run buildah and return its output. Raises CommandError."""
    return run_command("buildah", *arguments, environment=build_environment(), timeout=None)


def build_base_images() -> None:
    """Build the base image of the Dockerfiles, the pod sandbox's image and MinIO's, unless they are up to date."""
    with hold_lock(cache_folder() / "base-images.lock"):  # buildah gives two workers containers of the same name
        _build_image(BASE_IMAGE, cache_folder() / "base.tar", "/", "/bin/bash")
        _build_image(PAUSE_IMAGE, Path(find_program("pause")), "/pause", "/pause")
        _build_image(MINIO_IMAGE, Path(find_program("minio")), "/minio", "/minio")


def build_project_images() -> None:
    """Build both images of the project, as `make images` does, but without Cycles kernels: they take half an hour."""
    environment = {**build_environment(), "BUILDER": "buildah", "REPOSITORY": "localhost", "CUDA_ARCHITECTURES": ""}
    subprocess.run([ROOT / "tools" / "images", TAG], check=True, env=environment)


def create_containerd_root(target: Path, images: Sequence[str]) -> None:
    """Create a root folder of containerd that holds the images.

    Nobody changes the files of images in place, so they are hard links to one copy; the databases are copies.
    """
    shutil.rmtree(target, ignore_errors=True)
    with hold_lock(cache_folder() / "nodes.lock"):  # clusters of other tests may need other images
        run_command("cp", "--archive", "--link", _update_template(images), target)
        for database in target.rglob("*.db"):
            copy = database.with_suffix(".copy")
            shutil.copy2(database, copy)
            copy.replace(database)


def _build_image(image: str, content: Path, inside: str, command: str) -> None:
    stamp = f"{content.stat().st_size}-{content.stat().st_mtime_ns}"
    try:
        if f'"{stamp}"' in run_buildah("inspect", "--type=image", image):
            return
    except CommandError:
        pass  # it does not exist yet
    container = run_buildah("from", "scratch").strip()
    run_buildah("add", "-q", container, content, inside)
    run_buildah("config", "--cmd", command, "--label", f"stamp={stamp}", container)
    run_buildah("commit", "-q", "--rm", container, image)


def _update_template(images: Sequence[str]) -> Path:
    """Return the root folder that all clusters copy, after unpacking those of the images that have changed."""
    folder = cache_folder() / "node"
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "images.json"
    known: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    there = {image: json.loads(run_buildah("inspect", "--type=image", image))["FromImageID"] for image in images}
    changed = [image for image in images if known.get(image) != there[image]]
    root = folder / "containerd"
    if changed:
        with TemporaryDirectory(dir=folder) as scratch, _run_containerd(root, Path(scratch)) as socket:
            _import_images(socket, changed, [image for image in changed if image in known], Path(scratch))
        record.write_text(json.dumps({**known, **there}))
    return root


def _import_images(socket: Path, images: Sequence[str], earlier: Sequence[str], scratch: Path) -> None:
    """Import images; those in `earlier` keep their earlier version under another name until all are unpacked.

    An import moves the name first and unpacks then, and does not lease the layers that both versions share: the garbage
    collection of containerd deletes them meanwhile (https://github.com/containerd/containerd/issues/3787).
    """

    def ctr(*arguments: str | Path) -> None:
        run_command("ctr", f"--address={socket}", "--namespace=k8s.io", "images", *arguments, timeout=None)

    for image in earlier:
        ctr("tag", "--force", image, f"{image}-earlier")
    for image in images:
        archive = scratch / "image.tar"
        run_buildah("push", "-q", image, f"docker-archive:{archive}:{image}")
        ctr("import", archive)
        archive.unlink()
    if earlier:
        ctr("remove", *(f"{image}-earlier" for image in earlier))


@contextmanager
def _run_containerd(root: Path, scratch: Path) -> Iterator[Path]:
    socket = scratch / "containerd.sock"
    settings = scratch / "containerd.toml"
    settings.write_text(
        f'version = 2\nroot = "{root}"\nstate = "{scratch}/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\n  address = "{socket}"\n[ttrpc]\n  address = "{socket}.ttrpc"\n'
    )
    with (scratch / "log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "setpriv", "--pdeathsig", "KILL", "containerd", "-c", settings],
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + 30
        while subprocess.run(["ctr", f"--address={socket}", "version"], capture_output=True).returncode:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"containerd did not start: {(scratch / 'log').read_text()[-1000:]}")
            time.sleep(0.1)
        yield socket
    finally:
        process.terminate()
        process.wait()
