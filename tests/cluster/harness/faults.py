"""Faults of a cluster and their repair."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from waiting import wait_until

from harness.commands import CommandError
from harness.sandbox import list_cgroups
from harness.slot import NODE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.node_store import NodeStore

_OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"
_UNKNOWN_NODE_STATUS: Final = {
    "status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}
}


def list_processes(cluster: Cluster, pod: str) -> list[str]:
    """Return the process ids, inside the sandbox, of a pod's containers."""
    script = (
        'for each in /proc/[0-9]*; do tr "\\0" "\\n" < $each/environ 2>/dev/null | grep -qx "HOSTNAME=$1" '
        '&& echo "${each#/proc/}"; done; true'
    )
    return cluster.sandbox.run("sh", "-c", script, "sh", pod).split()


def kill_processes(cluster: Cluster, pod: str) -> None:
    """Send SIGKILL to the processes of a pod's containers from outside, as the kernel's OOM killer does."""
    for number in list_processes(cluster, pod):
        with suppress(CommandError):  # it has just ended
            cluster.sandbox.run("kill", "-KILL", number)


@contextmanager
def stop_store(store: NodeStore) -> Iterator[None]:
    """Stop the store for a while; its data stay."""
    store.kill()
    try:
        yield
    finally:
        store.start()


@contextmanager
def drain_node(cluster: Cluster) -> Iterator[None]:
    """Drain the node for a while: all its pods are evicted and no pod is scheduled."""
    try:
        cluster.kubectl("drain", NODE, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=300s")
        yield
    finally:
        cluster.kubectl("uncordon", NODE)


@contextmanager
def lose_node(cluster: Cluster) -> Iterator[None]:
    """Kill the node's kubelet and pods for a while, and taint the node out-of-service, as an administrator does."""
    cluster.kill_component("kubelet")
    try:
        _kill_all_pods(cluster)
        # The node controller would notice only after 50 s.
        cluster.kubectl("patch", "node", NODE, "--subresource=status", "--patch", json.dumps(_UNKNOWN_NODE_STATUS))
        cluster.kubectl("taint", "node", NODE, f"{_OUT_OF_SERVICE}=dead:NoExecute")
        yield
    finally:
        cluster.start_component("kubelet")
        cluster.kubectl("taint", "node", NODE, f"{_OUT_OF_SERVICE}-")
        wait_until(lambda: not _list_taints(cluster), lambda: f"the node keeps its taints: {_list_taints(cluster)}")


def _kill_all_pods(cluster: Cluster) -> None:
    files = [cgroup / "cgroup.procs" for cgroup in list_cgroups(cluster.sandbox.slot)]
    for process in {int(number) for file in files for number in file.read_text().split()}:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _list_taints(cluster: Cluster) -> list[str]:
    """Return the keys of the node's taints."""
    return [taint["key"] for taint in cluster.get_object("node", NODE)["spec"].get("taints", ())]
