"""A Kubernetes of one node: its start, its components and its end."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from waiting import wait_until

from harness.certificates import write_certificates
from harness.client import Client
from harness.commands import CommandError
from harness.components import component_commands
from harness.images import OPERATOR, RENDERER, create_containerd_root
from harness.node_files import PAUSE_IMAGE, write_node_files
from harness.sandbox import Sandbox, create_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass
class Cluster(Client):
    """A cluster whose components run in a sandbox; tests reach it from outside, through `kubeconfig`."""

    sandbox: Sandbox
    processes: dict[str, int] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator."""
        return self.sandbox.slot.kubeconfig

    @property
    def scratch_folder(self) -> Path:
        """Folder of the cluster."""
        return self.sandbox.slot.folder

    @property
    def node_address(self) -> str:
        """IP address of the node."""
        return self.sandbox.slot.node_address

    @property
    def store_endpoint(self) -> str:
        """Port 9000 of the node."""
        return f"{self.node_address}:9000"

    @property
    def images(self) -> tuple[str, str]:
        """Images of the project, which the node's containerd has from the start."""
        return OPERATOR, RENDERER

    def start_component(self, name: str) -> None:
        """Start a component of `component_commands`, also after it was killed."""
        slot = self.sandbox.slot
        self.processes[name] = self.sandbox.start(component_commands(slot)[name], slot.log(name))

    def kill_component(self, name: str) -> None:
        """Send SIGKILL to a component and wait until it is gone."""
        self.sandbox.kill(self.processes[name])
        while _is_alive(self.processes[name]):
            time.sleep(0.02)

    def destroy(self) -> None:
        """Kill all processes and remove all files."""
        self.sandbox.destroy()


@contextmanager
def running_cluster(images: Sequence[str] = ()) -> Iterator[Cluster]:
    """Run a cluster whose node is ready and has these images; it dies with this process, however that ends."""
    cluster = Cluster(create_sandbox())
    try:
        start_components(cluster, images)
        yield cluster
    finally:
        cluster.destroy()


def start_components(cluster: Cluster, images: Sequence[str] = ()) -> None:
    """Start all components, the API server first: without it some of the others exit."""
    slot = cluster.sandbox.slot
    write_certificates(slot)
    write_node_files(slot)
    create_containerd_root(slot.folder / "containerd", [PAUSE_IMAGE, *images])
    for name in ("etcd", "apiserver", "containerd"):
        cluster.start_component(name)
    wait_until(lambda: _is_api_server_ready(cluster), "the API server did not become ready")
    for name in ("controllers", "scheduler", "kubelet", "proxy"):
        cluster.start_component(name)
    wait_until(lambda: _is_node_ready(cluster), "the node did not become ready")


def _is_api_server_ready(cluster: Cluster) -> bool:
    with suppress(CommandError):
        return cluster.kubectl("get", "--raw", "/readyz") == "ok"
    return False


def _is_node_ready(cluster: Cluster) -> bool:
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
