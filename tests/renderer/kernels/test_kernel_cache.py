"""A kernel cache that pods share: one compiles, all others get the whole archive, and no dead pod holds them up."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pytest
from waiting import SECONDS

from synth_api.jobs.kernel_cache import (
    DRIVER_CACHE_VARIABLE,
    DRIVER_VARIABLES,
    KERNEL_CACHE_BYTES_VARIABLE,
    KERNEL_CACHE_VARIABLE,
)
from synth_renderer.kernels.cache import has_lasting_cache, name_key, share_kernels
from synth_renderer.kernels.lease import LeaseTimes

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

PATIENT: Final = LeaseTimes(poll=0.01)
KEY: Final = "NVIDIA-A100-driver-580.159-bpy-4.5.15-optix"
KERNEL: Final = os.urandom(1 << 16)
PODS: Final = 10

Context: Final = multiprocessing.get_context("fork")


def build_environment(shared: Path, pod: Path, max_bytes: int = 1 << 30) -> dict[str, str]:
    return {
        KERNEL_CACHE_VARIABLE: str(shared),
        KERNEL_CACHE_BYTES_VARIABLE: str(max_bytes),
        DRIVER_CACHE_VARIABLE: str(pod / "driver"),
    }


def compile_kernels(pod: Path, kernel: bytes = KERNEL) -> None:
    """Stand in for a driver: compile unless the cache has the kernel."""
    path = pod / "driver/cuda/a/b/kernel"
    if not path.exists():
        path.parent.mkdir(parents=True)
        path.write_bytes(kernel)
        with (pod.parent / "compiled").open("a") as log:
            log.write(f"{pod.name}\n")


def read_kernel(pod: Path) -> bytes:
    return (pod / "driver/cuda/a/b/kernel").read_bytes()


def list_compiled(folder: Path) -> list[str]:
    return (folder / "compiled").read_text().split()


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """The folder that outlives pods."""
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


def start_pod(tmp_path: Path, name: str, waiting: Any, compiling: Any, go: Any, times: LeaseTimes) -> BaseProcess:
    """Start a process that renders a first frame; it compiles until `go`."""
    pod = tmp_path / name

    def render_first_frame() -> None:
        with share_kernels(
            build_environment(tmp_path / "shared", pod), KEY, lambda _: waiting.release(), times
        ) as found:
            if not found:
                compiling.release()
                go.acquire(timeout=SECONDS)
            compile_kernels(pod)

    process = Context.Process(target=render_first_frame)
    process.start()
    return process


def test_of_ten_pods_at_once_one_compiles_and_all_have_the_kernels(tmp_path: Path, shared: Path) -> None:
    waiting, compiling, go = Context.Semaphore(0), Context.Semaphore(0), Context.Semaphore(0)
    names = [f"pod-{index}" for index in range(PODS)]
    pods = [start_pod(tmp_path, name, waiting, compiling, go, PATIENT) for name in names]
    for _ in range(PODS - 1):
        assert waiting.acquire(timeout=SECONDS)
    go.release()
    for pod in pods:
        pod.join(SECONDS)

    assert [pod.exitcode for pod in pods] == [0] * PODS
    assert len(list_compiled(tmp_path)) == 1
    assert [read_kernel(tmp_path / name) for name in names] == [KERNEL] * PODS
    assert [path.name for path in shared.iterdir()] == [f"{KEY}.tar.zst"]


def test_a_pod_that_is_killed_while_it_compiles_holds_up_no_other(tmp_path: Path, shared: Path) -> None:
    waiting, compiling, go = Context.Semaphore(0), Context.Semaphore(0), Context.Semaphore(0)
    killed = start_pod(tmp_path, "killed", waiting, compiling, go, PATIENT)
    assert compiling.acquire(timeout=SECONDS)
    heir = start_pod(tmp_path, "heir", waiting, compiling, go, LeaseTimes(poll=0.01, silence=0.1))
    assert waiting.acquire(timeout=SECONDS)
    assert killed.pid
    os.kill(killed.pid, signal.SIGKILL)
    killed.join(SECONDS)
    go.release()
    heir.join(SECONDS)

    assert heir.exitcode == 0
    assert list_compiled(tmp_path) == ["heir"]
    assert [path.name for path in shared.iterdir()] == [f"{KEY}.tar.zst"]


def test_who_compiles_shows_that_it_is_alive(tmp_path: Path, shared: Path) -> None:
    with share_kernels(build_environment(shared, tmp_path / "pod"), KEY, print, LeaseTimes(beat=0.01)):
        (lease,) = shared.iterdir()
        os.utime(lease, (0, 0))
        while lease.stat().st_mtime == 0:
            pass


def test_a_pod_whose_patience_ends_compiles_for_itself(tmp_path: Path, shared: Path) -> None:
    with share_kernels(build_environment(shared, tmp_path / "slow"), KEY, print, PATIENT):
        with share_kernels(build_environment(shared, tmp_path / "other"), KEY, print, LeaseTimes(patience=0)):
            compile_kernels(tmp_path / "other")
        assert list_compiled(tmp_path) == ["other"]


def test_a_first_frame_that_fails_leaves_the_lease_to_the_next_pod(tmp_path: Path, shared: Path) -> None:
    def fail() -> None:
        with share_kernels(build_environment(shared, tmp_path / "a"), KEY, print):
            raise RuntimeError("Xid 79")

    with pytest.raises(RuntimeError, match="Xid"):
        fail()
    assert not list(shared.iterdir())


def render_pod(shared: Path, pod: Path, key: str = KEY, **options: Any) -> list[str]:
    """Render a first frame; return what was said."""
    said: list[str] = []
    with share_kernels(build_environment(shared, pod, **options), key, said.append):
        compile_kernels(pod)
    return said


def test_a_driver_that_compiles_nothing_makes_no_pod_wait(tmp_path: Path, shared: Path) -> None:
    for name in ("first", "second"):
        with share_kernels(build_environment(shared, tmp_path / name), KEY, pytest.fail):
            assert bool(list(shared.glob("*.lease.*"))) == (name == "first")


@pytest.mark.parametrize("size", [0, 100, 40_000], ids=["empty", "begun", "half"])
def test_a_damaged_archive_is_replaced(tmp_path: Path, shared: Path, size: int) -> None:
    render_pod(shared, tmp_path / "first")
    (archive,) = shared.iterdir()
    archive.write_bytes(archive.read_bytes()[:size])

    assert render_pod(shared, tmp_path / "second") == []
    assert render_pod(shared, tmp_path / "third") == []

    assert list_compiled(tmp_path) == ["first", "second"]
    assert read_kernel(tmp_path / "third") == KERNEL


@pytest.mark.parametrize("trap", ["outside", "absolute", "link"])
def test_an_archive_that_reaches_out_of_its_folder_is_replaced(tmp_path: Path, shared: Path, trap: str) -> None:
    names = {"outside": "../stray", "absolute": str(tmp_path / "stray"), "link": "stray"}
    member = tarfile.TarInfo(names[trap])
    if trap == "link":
        member.type, member.linkname = tarfile.SYMTYPE, str(tmp_path)
    stream = pa.CompressedOutputStream(str(shared / f"{KEY}.tar.zst"), "zstd")
    with stream, tarfile.open(fileobj=stream, mode="w|") as archive:
        archive.addfile(member)

    assert render_pod(shared, tmp_path / "pod") == []

    assert list_compiled(tmp_path) == ["pod"]
    assert not list(tmp_path.rglob("stray"))


def test_another_process_of_the_pod_uses_its_kernels(tmp_path: Path, shared: Path) -> None:
    for _ in range(2):
        render_pod(shared, tmp_path / "pod")
        for archive in tmp_path.rglob("*.tar.zst"):
            archive.unlink()
    assert list_compiled(tmp_path) == ["pod"]


def test_the_archives_used_longest_ago_go_beyond_the_bound(tmp_path: Path, shared: Path) -> None:
    for key in ("a", "b"):
        render_pod(shared, tmp_path / key, key)
    for age, key in enumerate("ab"):
        os.utime(shared / f"{key}.tar.zst", (age, age))
    render_pod(shared, tmp_path / "again", "a")  # used now, though stored first

    assert render_pod(shared, tmp_path / "c", "c", max_bytes=5 * len(KERNEL) // 2) == []

    assert sorted(path.name for path in shared.iterdir()) == ["a.tar.zst", "c.tar.zst"]


def test_an_archive_that_is_larger_than_the_bound_is_not_kept(tmp_path: Path, shared: Path) -> None:
    (sentence,) = render_pod(shared, tmp_path / "pod", max_bytes=1000)
    assert "is larger than the bound of all, 1000 bytes; what the driver compiles is lost with this pod" in sentence
    assert not list(shared.iterdir())


def run_as_another_user(action: Any) -> Any:
    """Return what a function returns in a process that is not root."""
    results = Context.Queue()

    def act() -> None:
        os.setgid(10001)
        os.setuid(10001)
        results.put(action())

    process = Context.Process(target=act)
    process.start()
    try:
        return results.get(timeout=SECONDS)
    finally:
        process.join(SECONDS)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_folder_that_cannot_be_written_is_one_sentence_and_is_still_read(tmp_path: Path, shared: Path) -> None:
    for folder in tmp_path.parents:
        if folder.stat().st_mode & 0o077 == 0:
            folder.chmod(0o711)
    tmp_path.chmod(0o777)
    shared.chmod(0o755)

    said = run_as_another_user(lambda: render_pod(shared, tmp_path / "first"))
    assert said == [
        f"The kernel cache {shared} cannot be written by user 10001: Permission denied; "
        "what the driver compiles is lost with this pod"
    ]
    render_pod(shared, tmp_path / "root's")
    said = run_as_another_user(lambda: render_pod(shared, tmp_path / "second"))
    assert said == []
    assert list_compiled(tmp_path) == ["first", "root's"]


def test_outside_of_pods_the_drivers_own_caches_remain(tmp_path: Path) -> None:
    with share_kernels({}, KEY, pytest.fail) as there:
        assert not there


@pytest.mark.parametrize("folder", [None, "absent"])
def test_the_workers_of_a_pod_share_what_one_compiles_without_a_kernel_cache(
    tmp_path: Path, folder: str | None
) -> None:
    environment = build_environment(tmp_path / "absent", tmp_path / "pod")
    if folder is None:
        del environment[KERNEL_CACHE_VARIABLE]
    found = []
    said: list[str] = []
    for _ in range(2):
        with share_kernels(environment, KEY, said.append) as there:
            found.append(there)
            compile_kernels(tmp_path / "pod")
    assert found == [False, True]
    assert len(said) == (0 if folder is None else 1)


def test_it_says_whether_the_kernels_are_there(tmp_path: Path, shared: Path) -> None:
    found = []
    for pod in ("first", "second"):
        with share_kernels(build_environment(shared, tmp_path / pod), KEY, pytest.fail) as there:
            found.append(there)
            compile_kernels(tmp_path / pod)
    assert found == [False, True]


def test_the_key_names_all_that_kernels_depend_on() -> None:
    gpus = ["NVIDIA H100 80GB HBM3 MIG 1g.10gb", "NVIDIA A100", "NVIDIA A100"]
    key = name_key(gpus, "580.159", "4.5.15", "optix")
    assert key == "NVIDIA-A100-NVIDIA-H100-80GB-HBM3-MIG-1g.10gb-driver-580.159-bpy-4.5.15-optix"


def test_a_cache_lasts_on_a_laptop_and_in_a_pod_with_a_kernel_cache(tmp_path: Path, shared: Path) -> None:
    assert has_lasting_cache({})
    assert not has_lasting_cache({"OPTIX_CACHE_MAXSIZE": "0"})
    assert not has_lasting_cache(DRIVER_VARIABLES)
    assert has_lasting_cache(DRIVER_VARIABLES | {KERNEL_CACHE_VARIABLE: str(shared)})
    assert not has_lasting_cache(DRIVER_VARIABLES | {KERNEL_CACHE_VARIABLE: str(tmp_path / "absent")})
