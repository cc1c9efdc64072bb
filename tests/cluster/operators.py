"""The operator's pods: the leader, killing them, and their calls in the API server's audit log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from harness.faults import kill_processes
from harness.operator_chart import OPERATOR_NAMESPACE
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster

NAME: Final = "synth-operator"
WRITES: Final = frozenset({"create", "update", "patch", "delete"})
_POD: Final = "authentication.kubernetes.io/pod-name"


@dataclass(frozen=True)
class Call:
    """A request of the operator in the API server's audit log."""

    pod: str
    verb: str
    group: str
    resource: str
    """Resource and subresource: `synthsweeps/status`."""
    namespace: str
    name: str
    code: int
    selector: str
    """Label selector of a list or watch."""

    @property
    def rule(self) -> tuple[str, str, str]:
        """API group, resource and verb that a rule of a Role must allow."""
        return self.group, self.resource, self.verb


@dataclass(frozen=True)
class Operators:
    """All replicas of the operator."""

    cluster: Cluster

    @property
    def leader(self) -> str:
        """Name of the pod that holds the lease; empty when no pod does."""
        holder: str = self.cluster.get_object("lease", NAME, OPERATOR_NAMESPACE)["spec"].get("holderIdentity", "")
        return holder

    @property
    def pods(self) -> set[str]:
        """Names of the pods that are not being deleted."""
        items = self.cluster.get_object("pods", namespace=OPERATOR_NAMESPACE)["items"]
        return {pod["metadata"]["name"] for pod in items if "deletionTimestamp" not in pod["metadata"]}

    def wait_for_leader(self) -> str:
        """Wait until a pod that is not being deleted leads; return its name."""
        wait_until(lambda: self.leader in self.pods, "no pod leads")
        return self.leader

    def wait_for_new_leader(self, former: str, seconds: float) -> str:
        """Wait until another pod than `former` leads; return its name."""
        wait_until(
            lambda: self.leader not in ("", former),
            lambda: f"no pod took over from {former}:\n{self._describe_replicas()}",
            seconds,
        )
        return self.leader

    def _describe_replicas(self) -> str:
        return self.cluster.kubectl("-n", OPERATOR_NAMESPACE, "get", "pods,leases", "-o", "wide")

    def kill_pod(self, pod: str) -> None:
        """Send SIGKILL to its process and delete the pod, so that the next one starts without a back-off."""
        kill_processes(self.cluster, pod)
        self.cluster.kubectl(
            "-n", OPERATOR_NAMESPACE, "delete", "pod", pod, "--force", "--grace-period=0", "--wait=false"
        )

    def read_calls(self, account: str = NAME) -> Iterator[Call]:
        """Yield all requests of a service account so far, in the order of their answers."""
        user = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{account}"
        with self.cluster.sandbox.slot.log("audit").open(encoding="utf-8") as lines:
            events = (json.loads(line) for line in lines)
            yield from (
                _parse_call(event) for event in events if event["user"].get("username") == user and _is_answered(event)
            )


def _is_answered(event: dict[str, Any]) -> bool:
    return "objectRef" in event and "responseStatus" in event


def _parse_call(event: dict[str, Any]) -> Call:
    reference = event["objectRef"]
    return Call(
        pod=next(iter(event["user"].get("extra", {}).get(_POD, ())), ""),
        verb=event["verb"],
        group=reference.get("apiGroup", ""),
        resource="/".join(filter(None, (reference["resource"], reference.get("subresource", "")))),
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        code=event["responseStatus"].get("code", 0),
        selector="".join(parse_qs(urlsplit(event["requestURI"]).query).get("labelSelector", ())),
    )
