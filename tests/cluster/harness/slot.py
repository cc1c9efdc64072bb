"""Folder, network addresses and control group of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from servers import cache_folder

NODE: Final = "synth-node"
SERVICES: Final = "10.96.0.0/16"
API_SERVICE: Final = "10.96.0.1"
DNS_SERVICE: Final = "10.96.0.10"
STORE_SERVICE: Final = "10.96.0.100"
PODS: Final = "10.97.0.0/16"
NODE_PODS: Final = "10.97.0.0/24"
CONTAINERD: Final = Path("/run/containerd/containerd.sock")
"""Path inside the sandbox, which has a private /run."""


@dataclass(frozen=True)
class ClusterSlot:
    """One of the MAX_CLUSTERS clusters that can run on a machine at the same time."""

    number: int

    @property
    def folder(self) -> Path:
        """Folder of all files of the cluster; it is removed with the cluster."""
        return cache_folder() / "clusters" / str(self.number)

    @property
    def host_interface(self) -> str:
        """Machine's end of the veth pair into the sandbox."""
        return f"synth{self.number}"

    @property
    def host_address(self) -> str:
        """Machine's address in the veth network. 198.18.0.0/15 is reserved for tests of network devices (RFC 2544)."""
        return f"198.18.{self.number}.1"

    @property
    def node_address(self) -> str:
        """Node's address: API server, node ports, MinIO and Prometheus."""
        return f"198.18.{self.number}.2"

    @property
    def cgroup(self) -> str:
        """Name of the control group of all pods."""
        return f"synth-{self.number}"

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator, valid on the machine and in the sandbox."""
        return self.pki("admin.conf")

    def pki(self, name: str) -> Path:
        """Return the path of a key, certificate or kubeconfig."""
        return self.folder / "pki" / name

    def log(self, name: str) -> Path:
        """Return the path of a component's log."""
        return self.folder / "log" / f"{name}.log"


def find_program(name: str) -> str:
    """Return the path of a program that `tools/cluster-dependencies` has built."""
    return str(cache_folder() / "bin" / name)
