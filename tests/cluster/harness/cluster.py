"""A whole Kubernetes of one node, with a store beside it: brought up, asked, hurt and ended."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from harness.certificates import write_certificates
from harness.client import Client
from harness.commands import CommandError
from harness.components import commands
from harness.images import OPERATOR, RENDERER, containerd_root
from harness.node_files import PAUSE_IMAGE, write_node_files
from harness.sandbox import Sandbox, create

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

READY_SECONDS: Final = 90.0


@dataclass
class Cluster(Client):
    """Its components run inside the sandbox; tests speak to it from outside, through `kubeconfig`."""

    sandbox: Sandbox
    processes: dict[str, int] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> Path:
        """Of the administrator."""
        return self.sandbox.place.kubeconfig

    @property
    def scratch(self) -> Path:
        """Of the cluster."""
        return self.sandbox.place.folder

    @property
    def address(self) -> str:
        """The node's, for whatever listens on it."""
        return self.sandbox.place.address

    @property
    def store(self) -> str:
        """On the node's own address."""
        return f"{self.address}:9000"

    @property
    def images(self) -> tuple[str, str]:
        """Linked into the node when it was made."""
        return OPERATOR, RENDERER

    def start(self, name: str) -> None:
        """Start one component, again if it was killed."""
        place = self.sandbox.place
        self.processes[name] = self.sandbox.start(commands(place)[name], place.log(name))

    def kill(self, name: str) -> None:
        """SIGKILL for one component."""
        self.sandbox.kill(self.processes[name])
        while _is_alive(self.processes[name]):
            time.sleep(0.02)

    def end(self) -> None:
        """Everything of it is gone."""
        self.sandbox.end()


@contextmanager
def running_cluster(images: Sequence[str] = ()) -> Iterator[Cluster]:
    """A cluster whose node is ready and has these images; it dies with this process, however that ends."""
    cluster = Cluster(create())
    try:
        bring_up(cluster, images)
        yield cluster
    finally:
        cluster.end()


def bring_up(cluster: Cluster, images: Sequence[str] = ()) -> None:
    """Start all components; the others wait for the API server, without which some of them end at once."""
    place = cluster.sandbox.place
    write_certificates(place)
    write_node_files(place)
    containerd_root(place.folder / "containerd", [PAUSE_IMAGE, *images])
    for name in ("etcd", "apiserver", "containerd"):
        cluster.start(name)
    until(lambda: _answers(cluster), "the API server did not come up", READY_SECONDS)
    for name in ("controllers", "scheduler", "kubelet", "proxy"):
        cluster.start(name)
    until(lambda: _node_is_ready(cluster), "the node did not become ready", READY_SECONDS)


def until(condition: Callable[[], object], otherwise: str | Callable[[], str], seconds: float = 60.0) -> None:
    """Wait for a condition. Fails with `otherwise`, which may look round first."""
    end, pause = time.monotonic() + seconds, 0.1
    while not condition():
        if time.monotonic() > end:
            words = otherwise if isinstance(otherwise, str) else otherwise()
            raise AssertionError(f"after {seconds:.0f} s: {words}")
        time.sleep(pause)
        pause = min(1.2 * pause, 0.8)  # most conditions ask kubectl, which takes a tenth of a second of a processor


def _answers(cluster: Cluster) -> bool:
    with suppress(CommandError):
        return cluster.kubectl("get", "--raw", "/readyz") == "ok"
    return False


def _node_is_ready(cluster: Cluster) -> bool:
    with suppress(CommandError):
        cluster.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=1s")
        cluster.kubectl("get", "serviceaccount", "default")  # without it no pod is admitted
        return True
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
