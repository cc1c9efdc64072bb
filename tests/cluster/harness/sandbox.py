"""Namespaces of their own for a whole node: network, mounts, processes, host name. No route leads out of them.

The machine is at the other end of one cable, and may open connections into the sandbox; the sandbox opens none to it.
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

from harness.commands import CommandError, run
from harness.lock import locked
from harness.place import NODE, Place, program

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACES: Final = 16
NAMESPACES: Final = ("--net", "--mount", "--pid", "--uts", "--ipc")
CGROUPS: Final = Path("/sys/fs/cgroup")
LOCK: Final = Path("/run/synth-clusters.lock")
"""A place can be claimed before all of the cluster that had it is gone, so they come and go one at a time."""
OWN_FOLDERS: Final = ("/run", "/var/log", "/var/lib/cni")
"""Hidden behind empty ones, so that nothing of a node is left on the machine and two nodes do not meet."""


@dataclass
class Sandbox:
    """Running namespaces; `init` is their process 1 as the machine numbers it, and everything ends with it."""

    place: Place
    init: int
    unshare: subprocess.Popen[bytes] | None = None
    entered: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """Those that hold what was started inside; they end with it."""

    def words(self, *command: str | Path) -> list[str]:
        """The command as it is run inside."""
        return ["nsenter", "-t", str(self.init), *NAMESPACES, "--wd=/", "--", *map(str, command)]

    def run(self, *command: str | Path) -> str:
        """Standard output of a command run inside."""
        return run(*self.words(*command))

    def start(self, command: Sequence[str], log: Path) -> int:
        """A process inside that goes on; its number on the machine."""
        with log.open("ab") as output:
            entered = subprocess.Popen(
                self.words(*command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self.entered.append(entered)
        return _only_child(entered.pid)

    def kill(self, process: int) -> None:
        """SIGKILL for what `start` gave."""
        os.kill(process, signal.SIGKILL)

    def end(self) -> None:
        """All processes are killed; mounts and links go with them. Control groups and files are removed."""
        with locked(LOCK):
            os.kill(self.init, signal.SIGKILL)
            for each in (*self.entered, *([self.unshare] if self.unshare else [])):
                each.wait()
            _wait_until_gone(self.init)
            _clear(self.place)


def create(keep: bool = False) -> Sandbox:
    """New namespaces at the first free place. They die with this process unless they are to be kept."""
    bound = [] if keep else ["setpriv", "--pdeathsig", "KILL"]
    unshare = subprocess.Popen(
        [*bound, "unshare", *NAMESPACES, "--fork", "--mount-proc", "--kill-child", program("pause")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # it complains that its child is gone when a cluster ends
        start_new_session=True,
    )
    init = _only_child(unshare.pid)
    with locked(LOCK):
        place = _connect(init)
        _clear(place)
        place.folder.mkdir(parents=True)
    sandbox = Sandbox(place, init, unshare)
    try:
        _furnish(sandbox)
    except BaseException:
        sandbox.end()
        raise
    return sandbox


def cgroups(place: Place) -> list[Path]:
    """Control groups of a cluster, outer ones first. Those of others are not looked into: they come and go."""
    return [Path(folder) for root in _cgroup_roots(place) for folder, _, _ in os.walk(root)]


def _cgroup_roots(place: Place) -> list[Path]:
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS / place.cgroup]
    controllers = [path for path in CGROUPS.iterdir() if path.is_dir() and not path.is_symlink()]
    return [controller / place.cgroup for controller in controllers]


def _clear(place: Place) -> None:
    """What the last cluster here has left, which may have been killed together with its tests."""
    for cgroup in reversed(cgroups(place)):
        _remove(cgroup)
    shutil.rmtree(place.folder, ignore_errors=True)


def _remove(cgroup: Path) -> None:
    """Its processes were killed and may not have ended yet."""
    end = time.monotonic() + 10
    while True:
        try:
            return cgroup.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
        time.sleep(0.02)


def _only_child(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not children.exists():
            break
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(0.005)
    raise RuntimeError("no process came up in the new namespaces; does this machine allow `unshare` and `nsenter`?")


def _connect(init: int) -> Place:
    """The cable, whose name on the machine is the claim to the place."""
    for number in range(PLACES):
        place = Place(number)
        try:
            run("ip", "link", "add", place.link, "type", "veth", "peer", "name", "host0", "netns", str(init))
        except CommandError as error:
            if "File exists" not in error.stderr:
                raise
        else:
            run("ip", "address", "add", f"{place.host_address}/30", "dev", place.link)
            run("ip", "link", "set", place.link, "up")
            return place
    raise RuntimeError(f"{PLACES} clusters run already: `make cluster-down` ends one that was kept")


def _furnish(sandbox: Sandbox) -> None:
    place = sandbox.place
    kubelet = place.folder / "kubelet"
    kubelet.mkdir()
    Path("/var/lib/kubelet").mkdir(parents=True, exist_ok=True)
    Path("/var/lib/cni").mkdir(parents=True, exist_ok=True)
    steps = [
        f"hostname {NODE}",
        *(f"mount -t tmpfs own {folder}" for folder in OWN_FOLDERS),
        f"mount --bind {kubelet} /var/lib/kubelet",
        "mount --make-rshared /",
        "ip link set lo up",
        f"ip address add {place.address}/30 dev host0",
        "ip link set host0 up",
        # A ClusterIP needs some route to be caught on its way; this one ends in nothing.
        "ip link add nowhere type veth peer name nobody",
        "ip link set nowhere up",
        "ip link set nobody up",
        "ip route add default dev nowhere",
        "iptables -A OUTPUT -o host0 -m conntrack --ctstate NEW -j DROP",
        "iptables -A FORWARD -o host0 -m conntrack --ctstate NEW -j DROP",
        "sysctl -qw net.ipv4.ip_forward=1",
    ]
    sandbox.run("sh", "-ec", "\n".join(steps))
    _make_cgroups(place)


def _make_cgroups(place: Place) -> None:
    for root in _cgroup_roots(place):
        root.mkdir()
    cpuset = CGROUPS / "cpuset"
    if cpuset.exists():
        for name in ("cpuset.cpus", "cpuset.mems"):
            (cpuset / place.cgroup / name).write_text((cpuset / name).read_text())


def _wait_until_gone(process: int) -> None:
    while Path(f"/proc/{process}").exists():
        time.sleep(0.02)
