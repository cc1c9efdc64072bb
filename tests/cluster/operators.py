"""The operator's pods: who leads, killing them, and what the API server noted of their calls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from harness.cluster import until
from harness.faults import kill_processes, processes
from harness.lab import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster

NAME: Final = "synth-operator"
USER: Final = f"system:serviceaccount:{SYSTEM}:{NAME}"
WRITES: Final = frozenset({"create", "update", "patch", "delete"})
_POD: Final = "authentication.kubernetes.io/pod-name"


@dataclass(frozen=True)
class Call:
    """A request of the operator, as the API server's audit log has it."""

    pod: str
    verb: str
    group: str
    resource: str
    """With its subresource: `synthsweeps/status`."""
    namespace: str
    name: str
    code: int
    selector: str
    """Of a list or watch: the labels asked for."""

    @property
    def rule(self) -> tuple[str, str, str]:
        """What a rule of a Role would have to allow."""
        return self.group, self.resource, self.verb


@dataclass(frozen=True)
class Operators:
    """All replicas."""

    cluster: Cluster

    @property
    def leader(self) -> str:
        """Name of the pod that holds the lease; empty when nobody does."""
        holder: str = self.cluster.get("lease", NAME, SYSTEM)["spec"].get("holderIdentity", "")
        return holder

    @property
    def pods(self) -> set[str]:
        """Names of the pods that are not being deleted."""
        items = self.cluster.get("pods", namespace=SYSTEM)["items"]
        return {pod["metadata"]["name"] for pod in items if "deletionTimestamp" not in pod["metadata"]}

    def settled(self) -> str:
        """Waits until one of the pods that stay leads; its name."""
        until(lambda: self.leader in self.pods, "no pod leads")
        return self.leader

    def new_leader(self, former: str, seconds: float) -> str:
        """Waits until another pod than `former` leads; its name."""
        until(
            lambda: self.leader not in ("", former), lambda: f"nobody followed {former}:\n{self._replicas()}", seconds
        )
        return self.leader

    def _replicas(self) -> str:
        return self.cluster.kubectl("-n", SYSTEM, "get", "pods,leases", "-o", "wide")

    def kill(self, pod: str) -> None:
        """SIGKILL for its process, then away with the pod, so that the next one need not wait for a back-off."""
        kill_processes(self.cluster, pod)
        self.cluster.kubectl("-n", SYSTEM, "delete", "pod", pod, "--force", "--grace-period=0", "--wait=false")

    def calls(self) -> Iterator[Call]:
        """All requests so far, in the order in which they were answered."""
        with self.cluster.sandbox.place.log("audit").open(encoding="utf-8") as lines:
            events = (json.loads(line) for line in lines)
            yield from (_call(event) for event in events if event["user"].get("username") == USER and _ended(event))

    def processes(self, pod: str) -> list[str]:
        """Numbers, inside the sandbox, of the processes of a pod's container."""
        return processes(self.cluster, pod)


def _ended(event: dict[str, Any]) -> bool:
    return "objectRef" in event and "responseStatus" in event


def _call(event: dict[str, Any]) -> Call:
    about = event["objectRef"]
    return Call(
        pod=next(iter(event["user"].get("extra", {}).get(_POD, ())), ""),
        verb=event["verb"],
        group=about.get("apiGroup", ""),
        resource="/".join(filter(None, (about["resource"], about.get("subresource", "")))),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=event["responseStatus"].get("code", 0),
        selector="".join(parse_qs(urlsplit(event["requestURI"]).query).get("labelSelector", ())),
    )
