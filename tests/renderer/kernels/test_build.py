"""Machine code of Cycles kernels, built with the real ptxas from a kernel of bpy's wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import zstandard

from synth_api.errors import InputError, TryAgainError
from synth_renderer.kernels import build as module
from synth_renderer.kernels.build import build_kernel, find_cache
from synth_renderer.kernels.machine_code import (
    KernelState,
    has_machine_code,
    name_kernel,
    parse_architecture,
    read_state,
)
from synth_renderer.kernels.ptxas import Ptxas, find_ptxas
from synth_renderer.model.errors import OutdatedKernelError

HOPPER: Final = (9, 0)
OTHER_USER: Final = ["setpriv", "--reuid=2001", "--regid=2001", "--clear-groups"]
OTHER_USER += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
CUDA_MACHINE: Final = (190).to_bytes(2, "little")
"""EM_CUDA of ELF."""
BUILD: Final = """
import sys
from pathlib import Path
from synth_renderer.kernels.build import build_kernel
print(build_kernel((9, 0), Path(sys.argv[1]), Path(sys.argv[2]), lambda line: None))
"""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of a ptxas that writes its arguments down, one call a line; it is the first of the PATH."""
    log, ptxas = tmp_path / "calls", tmp_path / "bin" / "ptxas"
    ptxas.parent.mkdir()
    ptxas.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec {find_ptxas().path} "$@"\n')
    ptxas.chmod(0o755)
    monkeypatch.setattr(module, "find_ptxas", lambda: Ptxas(ptxas, find_ptxas().version))
    return log


def build(library: Path, cache: Path, architecture: str = "sm_90") -> str:
    return build_kernel(parse_architecture(architecture), library, cache, lambda _: None)


def count_compilations(calls: Path) -> int:
    return sum(line.startswith("-arch=") for line in calls.read_text().splitlines())


@pytest.mark.parametrize(("architecture", "number"), [("sm_80", 80), ("sm_90", 90), ("sm_100", 100)])
def test_a_kernel_is_machine_code_of_its_architecture_as_cycles_reads_it(
    library: Path, cache: Path, architecture: str, number: int
) -> None:
    assert build(library, cache, architecture) == "compiled"

    file = (library / f"kernel_{architecture}.cubin.zst").read_bytes()
    machine_code = zstandard.ZstdDecompressor().decompress(file)
    assert machine_code.startswith(b"\x7fELF")
    assert machine_code[18:20] == CUDA_MACHINE
    assert number in machine_code[48:50]  # e_flags; its second byte since version 8 of the ABI
    assert zstandard.frame_content_size(file) == len(machine_code)  # without it Cycles reads nothing
    assert has_machine_code(parse_architecture(architecture), library)


def test_a_kernel_that_is_there_already_stays(library: Path, cache: Path, calls: Path) -> None:
    (library / "kernel_sm_86.cubin.zst").write_bytes(b"of the wheel")

    assert build(library, cache, "sm_86") == "shipped already"
    assert (library / "kernel_sm_86.cubin.zst").read_bytes() == b"of the wheel"
    assert build(library, cache) == "compiled"
    assert build(library, cache) == "built already"
    assert count_compilations(calls) == 1


def test_another_installation_gets_the_kernel_from_the_cache(library: Path, cache: Path, calls: Path) -> None:
    build(library, cache)
    other = shutil.copytree(library, library.with_name("other"))
    (other / name_kernel(HOPPER)).unlink()

    assert build(other, cache) == "taken from the cache"
    assert count_compilations(calls) == 1
    assert (other / name_kernel(HOPPER)).read_bytes() == (library / name_kernel(HOPPER)).read_bytes()


def test_another_architecture_ptx_or_ptxas_is_compiled_anew(
    library: Path, cache: Path, calls: Path, cut_ptx: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build(library, cache) == "compiled"
    assert build(library, cache, "sm_80") == "compiled"
    (library / "kernel_compute_75.ptx.zst").write_bytes(zstandard.compress(cut_ptx + b"// of another bpy\n"))
    assert build(library, cache) == "compiled"
    (library / name_kernel(HOPPER)).unlink()
    monkeypatch.setattr(module, "find_ptxas", lambda: Ptxas(find_ptxas().path, "12.9.87"))
    assert build(library, cache) == "compiled"


def test_a_kernel_of_another_bpy_is_refused_and_built_again(library: Path, cache: Path, cut_ptx: bytes) -> None:
    build(library, cache)
    (library / "kernel_compute_75.ptx.zst").write_bytes(zstandard.compress(cut_ptx + b"// of another bpy\n"))

    assert read_state(library, HOPPER) is KernelState.OUTDATED
    with pytest.raises(OutdatedKernelError, match="was built for another version of bpy: run synth kernels build"):
        has_machine_code(HOPPER, library)
    assert build(library, cache) == "compiled"
    assert read_state(library, HOPPER) is KernelState.BUILT


def test_ten_processes_at_once_compile_once_and_leave_one_whole_file(
    library: Path, cache: Path, tmp_path: Path, cut_ptx: bytes
) -> None:
    bin_folder, log = tmp_path / "bin", tmp_path / "compilations"
    bin_folder.mkdir()
    (bin_folder / "ptxas").write_text(
        f'#!/bin/sh\ncase $1 in -arch=*) echo >>{log};; esac\nexec {find_ptxas().path} "$@"\n'
    )
    (bin_folder / "ptxas").chmod(0o755)
    hidden = "import sys; sys.modules['nvidia'] = None\n"
    command = [sys.executable, "-c", hidden + BUILD, library, cache]
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(10)]
    said = [process.communicate()[0].strip() for process in processes]

    assert {process.returncode for process in processes} == {0}
    assert said.count("compiled") == 1
    assert set(said) <= {"compiled", "taken from the cache", "built already"}
    assert log.read_text() == "\n"
    assert read_state(library, HOPPER) is KernelState.BUILT
    assert sorted(path.name for path in library.iterdir()) == ["kernel_compute_75.ptx.zst", name_kernel(HOPPER)]
    assert len(list(cache.glob("*.zst"))) == len(list(cache.glob("*.lock"))) == len(list(cache.iterdir())) / 2 == 1


def test_the_cache_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_cache({}) == tmp_path / ".cache/synth-operator/cycles-kernels"
    assert find_cache({"XDG_CACHE_HOME": "/caches"}) == Path("/caches/synth-operator/cycles-kernels")


def test_an_unknown_architecture_is_an_error(library: Path, cache: Path) -> None:
    with pytest.raises(
        InputError, match=r"^--arch: ptxas 12\.9\.86 has no architecture 'sm_91'; did you mean 'sm_90'\?$"
    ):
        build(library, cache, "sm_91")


def test_an_architecture_older_than_the_ptx_is_an_error(library: Path, cache: Path) -> None:
    with pytest.raises(InputError, match=r"/lib: holds no PTX of Cycles for sm_72$"):
        build(library, cache, "sm_72")


def test_a_missing_ptxas_is_an_error_that_names_the_extra(
    library: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nvidia", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        InputError, match=r"^ptxas: is neither installed nor on the PATH; install synth-operator\[kernels\]$"
    ):
        build(library, cache)


@pytest.mark.parametrize("ending", ["kill -9 $$", "echo ptxas fatal : Memory allocation failure >&2; exit 1"])
def test_too_little_memory_is_an_error_and_leaves_nothing(
    library: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    ptxas = tmp_path / "ptxas"
    ptxas.write_text(f"#!/bin/sh\ncase $1 in --help) exec {find_ptxas().path} --help;; esac\n{ending}\n")
    ptxas.chmod(0o755)
    monkeypatch.setattr(module, "find_ptxas", lambda: Ptxas(ptxas, "12.9.86"))

    with pytest.raises(
        TryAgainError, match=r"^sm_90: too little memory: ptxas needs about 3 GB for all Cycles kernels$"
    ):
        build(library, cache)
    assert [path.name for path in library.iterdir()] == ["kernel_compute_75.ptx.zst"]
    assert not list(cache.glob("*.zst"))


def test_a_program_that_ptxas_refuses_is_an_error_with_its_words(library: Path, cache: Path) -> None:
    (library / "kernel_compute_75.ptx.zst").write_bytes(zstandard.compress(b".version 7.4\n.target sm_75\nnonsense\n"))
    with pytest.raises(InputError, match=r"^sm_90: ptxas 12\.9\.86 ends with 255: .*syntax error"):
        build(library, cache)


@pytest.mark.skipif(os.getuid() != 0, reason="needs the right to become another user")
def test_a_folder_of_kernels_that_cannot_be_written_is_an_error_before_anything_is_compiled(
    library: Path, cache: Path
) -> None:
    command = [*OTHER_USER, sys.executable, "-c", BUILD, library, cache]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"synth_api.errors.InputError: {library}: cannot be written: Permission denied; "
        "run the command as its owner, or build the image with CUDA_ARCHITECTURES"
    )
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_an_error_that_names_its_variable(library: Path) -> None:
    with pytest.raises(
        InputError, match=r"^/proc/cache: cannot be written: .*; set XDG_CACHE_HOME to a folder that can be written$"
    ):
        build(library, Path("/proc/cache"))
