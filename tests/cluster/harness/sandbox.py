"""Linux namespaces for a whole node: network, mounts, processes, host name. No route leads out of them.

A veth pair connects the machine with the sandbox: the machine may open connections, the sandbox may not.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.commands import CommandError, run_command
from harness.lock import hold_lock
from harness.slot import NODE, ClusterSlot, find_program

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CLUSTERS: Final = 16
NAMESPACES: Final = ("--net", "--mount", "--pid", "--uts", "--ipc")
CGROUPS: Final = Path("/sys/fs/cgroup")
LOCK: Final = Path("/run/synth-clusters.lock")
"""A slot can be claimed before its last cluster is gone completely, so clusters start and end one at a time."""
PRIVATE_FOLDERS: Final = ("/run", "/var/log", "/var/lib/cni")
"""Empty inside the sandbox, so that a node leaves nothing on the machine and two nodes share nothing."""


@dataclass
class Sandbox:
    """Running namespaces; `init` is the machine's id of their process 1, and everything ends with it."""

    slot: ClusterSlot
    init: int
    unshare: subprocess.Popen[bytes] | None = None
    entered: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """nsenter processes, which end with their children inside."""

    def wrap_command(self, *command: str | Path) -> list[str]:
        """Return the command that runs a command inside."""
        return ["nsenter", "-t", str(self.init), *NAMESPACES, "--wd=/", "--", *map(str, command)]

    def run(self, *command: str | Path) -> str:
        """Run a command inside and return its standard output. Raises CommandError."""
        return run_command(*self.wrap_command(*command))

    def start(self, command: Sequence[str], log: Path) -> int:
        """Start a process inside, with its output in `log`; return its process id on the machine."""
        with log.open("ab") as output:
            entered = subprocess.Popen(
                self.wrap_command(*command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.entered.append(entered)
        return _find_only_child(entered.pid)

    def kill(self, process: int) -> None:
        """Send SIGKILL to a process id that `start` returned."""
        os.kill(process, signal.SIGKILL)

    def destroy(self) -> None:
        """Kill all processes, which ends mounts and links, and remove control groups and files."""
        with hold_lock(LOCK):
            os.kill(self.init, signal.SIGKILL)
            for each in (*self.entered, *([self.unshare] if self.unshare else [])):
                each.wait()
            _wait_until_gone(self.init)
            _remove_leftovers(self.slot)


def create_sandbox(keep: bool = False) -> Sandbox:
    """Create namespaces in the first free slot. They die with this process unless `keep` is set."""
    bound = [] if keep else ["setpriv", "--pdeathsig", "KILL"]
    unshare = subprocess.Popen(
        [*bound, "unshare", *NAMESPACES, "--fork", "--mount-proc", "--kill-child", find_program("pause")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # it reports the death of its child when a cluster ends
        start_new_session=True,
    )
    init = _find_only_child(unshare.pid)
    with hold_lock(LOCK):
        slot = _connect_to_free_slot(init)
        _remove_leftovers(slot)
        slot.folder.mkdir(parents=True)
    sandbox = Sandbox(slot, init, unshare)
    try:
        _prepare_namespaces(sandbox)
    except BaseException:
        sandbox.destroy()
        raise
    return sandbox


def list_cgroups(slot: ClusterSlot) -> list[Path]:
    """Return the control groups of a cluster, outer ones first; those of other clusters may vanish meanwhile."""
    return [Path(folder) for root in _list_cgroup_roots(slot) for folder, _, _ in os.walk(root)]


def _list_cgroup_roots(slot: ClusterSlot) -> list[Path]:
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS / slot.cgroup]
    controllers = [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink()]
    return [controller / slot.cgroup for controller in controllers]


def _remove_leftovers(slot: ClusterSlot) -> None:
    """Remove the files of the slot's last cluster, which may have been killed together with its tests."""
    for cgroup in reversed(list_cgroups(slot)):
        _remove_cgroup(cgroup)
    shutil.rmtree(slot.folder, ignore_errors=True)


def _remove_cgroup(cgroup: Path) -> None:
    """Remove a control group whose processes were killed and may not have ended yet."""
    end = time.monotonic() + 10
    while True:
        try:
            return cgroup.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
        time.sleep(0.02)


def _find_only_child(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not children.exists():
            break
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(0.005)
    raise RuntimeError("no process started in the new namespaces; does this machine allow `unshare` and `nsenter`?")


def _connect_to_free_slot(init: int) -> ClusterSlot:
    """Create the veth pair, whose name on the machine claims the slot."""
    for number in range(MAX_CLUSTERS):
        slot = ClusterSlot(number)
        try:
            run_command(
                "ip", "link", "add", slot.host_interface, "type", "veth", "peer", "name", "host0", "netns", str(init)
            )
        except CommandError as error:
            if "File exists" not in error.stderr:
                raise
        else:
            run_command("ip", "address", "add", f"{slot.host_address}/30", "dev", slot.host_interface)
            run_command("ip", "link", "set", slot.host_interface, "up")
            return slot
    raise RuntimeError(f"{MAX_CLUSTERS} clusters run already: `make cluster-down` ends one that was kept")


def _prepare_namespaces(sandbox: Sandbox) -> None:
    slot = sandbox.slot
    kubelet = slot.folder / "kubelet"
    kubelet.mkdir()
    Path("/var/lib/kubelet").mkdir(parents=True, exist_ok=True)
    Path("/var/lib/cni").mkdir(parents=True, exist_ok=True)
    steps = [
        f"hostname {NODE}",
        *(f"mount -t tmpfs own {folder}" for folder in PRIVATE_FOLDERS),
        f"mount --bind {kubelet} /var/lib/kubelet",
        "mount --make-rshared /",
        "ip link set lo up",
        f"ip address add {slot.node_address}/30 dev host0",
        "ip link set host0 up",
        # A packet to a ClusterIP needs a route before iptables redirects it; this one leads nowhere.
        "ip link add nowhere type veth peer name nobody",
        "ip link set nowhere up",
        "ip link set nobody up",
        "ip route add default dev nowhere",
        "iptables -A OUTPUT -o host0 -m conntrack --ctstate NEW -j DROP",
        "iptables -A FORWARD -o host0 -m conntrack --ctstate NEW -j DROP",
        "sysctl -qw net.ipv4.ip_forward=1",
    ]
    sandbox.run("sh", "-ec", "\n".join(steps))
    _create_cgroups(slot)


def _create_cgroups(slot: ClusterSlot) -> None:
    for root in _list_cgroup_roots(slot):
        root.mkdir()
    cpuset = CGROUPS / "cpuset"
    if cpuset.exists():
        for name in ("cpuset.cpus", "cpuset.mems"):
            (cpuset / slot.cgroup / name).write_text((cpuset / name).read_text())


def _wait_until_gone(process: int) -> None:
    while Path(f"/proc/{process}").exists():
        time.sleep(0.02)
