"""What befalls a cluster, and how it is healed again."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from harness.cluster import until
from harness.commands import CommandError
from harness.place import NODE
from harness.sandbox import cgroups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster import Cluster
    from harness.lab import Store

_OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"
_SILENT: Final = {"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}}


def processes(cluster: Cluster, pod: str) -> list[str]:
    """Numbers, inside the sandbox, of the processes of a pod's containers."""
    script = (
        'for each in /proc/[0-9]*; do tr "\\0" "\\n" < $each/environ 2>/dev/null | grep -qx "HOSTNAME=$1" '
        '&& echo "${each#/proc/}"; done; true'
    )
    return cluster.sandbox.run("sh", "-c", script, "sh", pod).split()


def kill_processes(cluster: Cluster, pod: str) -> None:
    """SIGKILL for the processes of a pod's containers, from outside, as the kernel would."""
    for number in processes(cluster, pod):
        with suppress(CommandError):  # it has just ended
            cluster.sandbox.run("kill", "-KILL", number)


@contextmanager
def stopped(store: Store) -> Iterator[None]:
    """The store is away; its data stay."""
    store.kill()
    try:
        yield
    finally:
        store.start()


@contextmanager
def drained(cluster: Cluster) -> Iterator[None]:
    """No pod is left on the node, and none may come."""
    try:
        cluster.kubectl("drain", NODE, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
        yield
    finally:
        cluster.kubectl("uncordon", NODE)


@contextmanager
def lost(cluster: Cluster) -> Iterator[None]:
    """The node is dead with all that ran on it, and its pods are given up, as an administrator would."""
    cluster.kill("kubelet")
    try:
        _kill_everything(cluster)
        # The node controller would find that out after 50 s.
        cluster.kubectl("patch", "node", NODE, "--subresource=status", "--patch", json.dumps(_SILENT))
        cluster.kubectl("taint", "node", NODE, f"{_OUT_OF_SERVICE}=dead:NoExecute")
        yield
    finally:
        cluster.start("kubelet")
        cluster.kubectl("taint", "node", NODE, f"{_OUT_OF_SERVICE}-")
        until(lambda: not _troubles(cluster), lambda: f"the node does not come back: {_troubles(cluster)}")


def _kill_everything(cluster: Cluster) -> None:
    files = [cgroup / "cgroup.procs" for cgroup in cgroups(cluster.sandbox.place)]
    for process in {int(number) for file in files for number in file.read_text().split()}:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _troubles(cluster: Cluster) -> list[str]:
    """Why pods may not come to the node."""
    return [taint["key"] for taint in cluster.get("node", NODE)["spec"].get("taints", ())]
