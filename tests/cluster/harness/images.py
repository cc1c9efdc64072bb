"""The images of this machine's builder, unpacked once for all clusters that are to run them."""

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

from harness.commands import CommandError, run
from harness.lock import locked
from harness.node_files import PAUSE_IMAGE
from harness.place import program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BASE_IMAGE: Final = "docker.io/library/debian:bookworm-slim"
MINIO_IMAGE: Final = "localhost/minio:local"
TAG: Final = "test"
OPERATOR: Final = f"localhost/synth-operator:{TAG}"
RENDERER: Final = f"localhost/synth-renderer:{TAG}"


def builder_environment() -> dict[str, str]:
    """Where the builder keeps the images for tests, apart from the machine's own."""
    folder = cache_folder() / "containers"
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "storage.conf"
    settings.write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(settings), "STORAGE_DRIVER": "overlay"}


def buildah(*arguments: str | Path) -> str:
    """What buildah prints."""
    return run("buildah", *arguments, environment=builder_environment(), timeout=None)


def make_small_images() -> None:
    """The base that Dockerfiles start from, the pod sandbox's own and MinIO, each of one file; kept once made."""
    _commit(BASE_IMAGE, cache_folder() / "base.tar", "/", "/bin/bash")
    _commit(PAUSE_IMAGE, Path(program("pause")), "/pause", "/pause")
    _commit(MINIO_IMAGE, Path(program("minio")), "/minio", "/minio")


def make_project_images() -> None:
    """Both images of the project, as `make images` builds them."""
    environment = {**builder_environment(), "BUILDER": "buildah", "REPOSITORY": "localhost"}
    subprocess.run([ROOT / "tools" / "images", TAG], check=True, env=environment)


def containerd_root(target: Path, images: Sequence[str]) -> None:
    """A folder with the images in it, as containerd keeps them.

    Files of images are never changed in place, so they are linked to the one copy; containerd's databases are copied.
    """
    shutil.rmtree(target, ignore_errors=True)
    with locked(cache_folder() / "nodes.lock"):  # clusters of other tests may want other images
        run("cp", "--archive", "--link", _template(images), target)
        for database in target.rglob("*.db"):
            copy = database.with_suffix(".copy")
            shutil.copy2(database, copy)
            copy.replace(database)


def _commit(image: str, content: Path, inside: str, command: str) -> None:
    stamp = f"{content.stat().st_size}-{content.stat().st_mtime_ns}"
    try:
        if f'"{stamp}"' in buildah("inspect", "--type=image", image):
            return
    except CommandError:
        pass  # not made yet
    container = buildah("from", "scratch").strip()
    buildah("add", "-q", container, content, inside)
    buildah("config", "--cmd", command, "--label", f"stamp={stamp}", container)
    buildah("commit", "-q", "--rm", container, image)


def _template(images: Sequence[str]) -> Path:
    """One for all clusters, with these images among others; an image that has changed is unpacked anew."""
    folder = cache_folder() / "node"
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "images.json"
    known: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    there = {image: json.loads(buildah("inspect", "--type=image", image))["FromImageID"] for image in images}
    changed = [image for image in images if known.get(image) != there[image]]
    root = folder / "containerd"
    if changed:
        with TemporaryDirectory(dir=folder) as scratch, _containerd(root, Path(scratch)) as socket:
            for image in changed:
                archive = Path(scratch) / "image.tar"
                buildah("push", "-q", image, f"docker-archive:{archive}:{image}")
                run("ctr", f"--address={socket}", "--namespace=k8s.io", "images", "import", archive, timeout=None)
                archive.unlink()
        record.write_text(json.dumps({**known, **there}))
    return root


@contextmanager
def _containerd(root: Path, scratch: Path) -> Iterator[Path]:
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
                raise RuntimeError(f"containerd did not come up: {(scratch / 'log').read_text()[-1000:]}")
            time.sleep(0.1)
        yield socket
    finally:
        process.terminate()
        process.wait()
