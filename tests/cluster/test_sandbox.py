"""Several sandboxes on one machine at the same time."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness.existing import find_existing_kubeconfig
from harness.sandbox import Sandbox, create_sandbox, list_cgroups
from waiting import wait_until

pytestmark = pytest.mark.skipif(find_existing_kubeconfig() is not None, reason="makes clusters of its own")


def test_sandboxes_start_and_end_at_the_same_time() -> None:
    def create_and_destroy(rounds: int) -> None:
        for _ in range(rounds):
            sandbox = create_sandbox()
            create_leftovers(sandbox)
            sandbox.destroy()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(create_and_destroy, [6] * 3))  # raises the error of a thread


def test_a_killed_sandbox_leaves_nothing_to_the_next() -> None:
    killed = create_sandbox()
    pods = create_leftovers(killed)
    assert killed.unshare
    os.kill(killed.unshare.pid, signal.SIGKILL)  # the kernel does so when the tests are killed
    wait_until(lambda: not Path("/sys/class/net", killed.slot.host_interface).exists(), "its veth pair still exists")
    sandbox = create_sandbox()
    for process in (killed.unshare, *killed.entered):
        process.wait()
    try:
        assert sandbox.slot == killed.slot
        assert not any(pod.exists() for pod in pods)
        assert not (sandbox.slot.folder / "file").exists()
    finally:
        sandbox.destroy()


def create_leftovers(sandbox: Sandbox) -> list[Path]:
    """Create a file, and control groups with a process, as a kubelet does for pods; return those of the pods."""
    (sandbox.slot.folder / "file").touch()
    process = sandbox.start(["sleep", "600"], sandbox.slot.folder / "log")
    roots = list_cgroups(sandbox.slot)
    pods = [root / f"pods/pod{number}" for root in roots for number in range(20)]
    for pod in pods:
        pod.mkdir(parents=True)
    for root in roots:
        if root.parent.name != "cpuset":  # accepts no process before its processors are set
            (root / "pods/pod0/cgroup.procs").write_text(str(process))
    return pods
