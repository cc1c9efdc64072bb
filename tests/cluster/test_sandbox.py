"""Clusters beside each other on one machine, as the tests run them."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness.cluster import wait_until
from harness.existing import find_existing_kubeconfig
from harness.sandbox import Sandbox, create_sandbox, list_cgroups

pytestmark = pytest.mark.skipif(find_existing_kubeconfig() is not None, reason="makes clusters of its own")


def test_a_cluster_may_come_while_another_goes() -> None:
    def come_and_go(rounds: int) -> None:
        for _ in range(rounds):
            sandbox = create_sandbox()
            fill(sandbox)
            sandbox.destroy()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(come_and_go, [6] * 3))  # raises what one of them raised


def test_a_killed_cluster_leaves_nothing_to_the_next() -> None:
    killed = create_sandbox()
    pods = fill(killed)
    assert killed.unshare
    os.kill(killed.unshare.pid, signal.SIGKILL)  # the kernel does so when the tests are killed
    wait_until(lambda: not Path("/sys/class/net", killed.slot.host_interface).exists(), "its cable is still there")
    sandbox = create_sandbox()
    for process in (killed.unshare, *killed.entered):
        process.wait()
    try:
        assert sandbox.slot == killed.slot
        assert not any(pod.exists() for pod in pods)
        assert not (sandbox.slot.folder / "file").exists()
    finally:
        sandbox.destroy()


def fill(sandbox: Sandbox) -> list[Path]:
    """A file, and control groups with a process, as a kubelet makes them for pods; returns those of the pods."""
    (sandbox.slot.folder / "file").touch()
    process = sandbox.start(["sleep", "600"], sandbox.slot.folder / "log")
    roots = list_cgroups(sandbox.slot)
    pods = [root / f"pods/pod{number}" for root in roots for number in range(20)]
    for pod in pods:
        pod.mkdir(parents=True)
    for root in roots:
        if root.parent.name != "cpuset":  # takes no process before it is told its processors
            (root / "pods/pod0/cgroup.procs").write_text(str(process))
    return pods
