"""Where a cluster keeps its files, and under which addresses it is reached."""

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
"""Inside the sandbox, whose /run is its own."""


@dataclass(frozen=True)
class Place:
    """One of the clusters that may run beside each other on a machine, by its number."""

    number: int

    @property
    def folder(self) -> Path:
        """Everything of this cluster; gone with it."""
        return cache_folder() / "clusters" / str(self.number)

    @property
    def link(self) -> str:
        """The machine's end of the cable to the sandbox."""
        return f"synth{self.number}"

    @property
    def host_address(self) -> str:
        """The machine, as seen from the sandbox. 198.18.0.0/15 is set aside for tests of network devices (RFC 2544)."""
        return f"198.18.{self.number}.1"

    @property
    def address(self) -> str:
        """The node: API server, node ports and Prometheus are here."""
        return f"198.18.{self.number}.2"

    @property
    def cgroup(self) -> str:
        """Name of the control group that holds all pods."""
        return f"synth-{self.number}"

    @property
    def kubeconfig(self) -> Path:
        """Of the administrator, for the machine and the sandbox alike."""
        return self.pki("admin.conf")

    def pki(self, name: str) -> Path:
        """A key, certificate or kubeconfig."""
        return self.folder / "pki" / name

    def log(self, name: str) -> Path:
        """Log of a component."""
        return self.folder / "log" / f"{name}.log"


def program(name: str) -> str:
    """Path of a program that `tools/cluster-dependencies` made."""
    return str(cache_folder() / "bin" / name)
