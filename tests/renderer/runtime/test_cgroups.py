"""What control groups allow, read from recorded files of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from synth_renderer.runtime.cgroups import Allowance, read_allowance

if TYPE_CHECKING:
    from pathlib import PurePosixPath

MB = 1 << 20
UNLIMITED_V1 = "9223372036854771712\n"
V1_MOUNTS = (
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 {root} /sys/fs/cgroup/memory rw,relatime shared:9 master:1 - cgroup cgroup rw,memory\n"
    "40 31 0:37 {root} /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
)
V2_MOUNT = "29 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID_MOUNT = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"


def allowance(files: dict[str, str]) -> Allowance:
    def read(file: PurePosixPath) -> str | None:
        return files.get(str(file))

    return read_allowance(read)


def below(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


def test_without_control_groups_nothing_is_limited() -> None:
    assert allowance({}) == Allowance(None, None, None)


def test_version_2_in_a_container_that_sees_its_own_group_as_the_root() -> None:
    group = {
        "cpu.max": "150000 100000\n",
        "memory.max": f"{800 * MB}\n",
        "memory.high": "max\n",
        "memory.current": f"{300 * MB}\n",
        "memory.stat": f"anon {200 * MB}\nfile {100 * MB}\ninactive_file {60 * MB}\n",
    }
    files = {"/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": V2_MOUNT, **below("/sys/fs/cgroup", group)}
    assert allowance(files) == Allowance(1.5, 800 * MB, (800 - 300 + 60) * MB)


def test_of_nested_groups_of_version_2_the_smallest_limit_counts() -> None:
    files = {
        "/proc/self/cgroup": "0::/kubepods.slice/pod1.slice/box\n",
        "/proc/self/mountinfo": V2_MOUNT,
        "/sys/fs/cgroup/kubepods.slice/pod1.slice/box/cpu.max": "400000 100000\n",
        "/sys/fs/cgroup/kubepods.slice/pod1.slice/box/memory.max": "max\n",
        "/sys/fs/cgroup/kubepods.slice/pod1.slice/cpu.max": "200000 100000\n",
        "/sys/fs/cgroup/kubepods.slice/pod1.slice/memory.max": f"{4000 * MB}\n",
        "/sys/fs/cgroup/kubepods.slice/pod1.slice/memory.high": f"{3000 * MB}\n",
        "/sys/fs/cgroup/kubepods.slice/pod1.slice/memory.current": f"{100 * MB}\n",
        "/sys/fs/cgroup/kubepods.slice/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/kubepods.slice/memory.max": f"{9000 * MB}\n",
        "/sys/fs/cgroup/kubepods.slice/memory.current": f"{8000 * MB}\n",
        "/sys/fs/cgroup/elsewhere/memory.max": "1\n",
    }
    assert allowance(files) == Allowance(2.0, 3000 * MB, 1000 * MB)


def test_limits_of_version_1() -> None:
    files = {
        "/proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/a/b\n1:name=systemd:/a\n",
        "/proc/self/mountinfo": V1_MOUNTS.format(root="/"),
        "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "50000\n",
        "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": f"{800 * MB}\n",
        "/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes": f"{500 * MB}\n",
        "/sys/fs/cgroup/memory/a/b/memory.stat": f"inactive_file 1\ntotal_inactive_file {100 * MB}\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED_V1,
    }
    assert allowance(files) == Allowance(0.5, 800 * MB, 400 * MB)


def test_a_container_of_version_1_sees_only_its_own_group_and_learns_of_a_limit_above_it() -> None:
    group = {
        "memory.limit_in_bytes": UNLIMITED_V1,
        "memory.usage_in_bytes": f"{100 * MB}\n",
        "memory.stat": f"hierarchical_memory_limit {700 * MB}\ntotal_inactive_file 0\n",
    }
    files = {
        "/proc/self/cgroup": "4:memory:/docker/abc\n",
        "/proc/self/mountinfo": V1_MOUNTS.format(root="/docker/abc"),
        **below("/sys/fs/cgroup/memory", group),
    }
    assert allowance(files) == Allowance(None, 700 * MB, 600 * MB)


def test_a_hybrid_machine_limits_by_version_1_and_by_version_2() -> None:
    files = {
        "/proc/self/cgroup": "4:memory:/a\n0::/b\n",
        "/proc/self/mountinfo": V1_MOUNTS.format(root="/") + HYBRID_MOUNT,
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": f"{800 * MB}\n",
        "/sys/fs/cgroup/unified/b/cpu.max": "300000 100000\n",
    }
    assert allowance(files) == Allowance(3.0, 800 * MB, 800 * MB)


def test_a_group_outside_what_is_mounted_leaves_the_outermost_limits() -> None:
    files = {
        "/proc/self/cgroup": "0::/../../system.slice\n",
        "/proc/self/mountinfo": V2_MOUNT.replace("/sys/fs/cgroup", "/sys/fs/c\\040group"),
        "/sys/fs/c group/memory.max": f"{500 * MB}\n",
    }
    assert allowance(files).memory == 500 * MB


def test_a_group_that_is_over_its_limit_leaves_nothing() -> None:
    group = {"memory.high": f"{100 * MB}\n", "memory.current": f"{150 * MB}\n"}
    files = {"/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": V2_MOUNT, **below("/sys/fs/cgroup", group)}
    assert allowance(files).free_memory == 0


@pytest.mark.parametrize("text", ["", "nonsense\n", "0 0\n", "max\n", "-1 100000\n", "100000\n"])
def test_a_file_that_is_not_understood_limits_nothing(text: str) -> None:
    group = {"cpu.max": text, "memory.max": text}
    files = {"/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": V2_MOUNT, **below("/sys/fs/cgroup", group)}
    assert allowance(files).processors is None
