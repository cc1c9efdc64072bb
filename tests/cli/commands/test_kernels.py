"""`synth kernels`: which Cycles kernels the GPUs here find, and how they are built."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard
from waiting import wait_until

from synth_cli.main import run
from synth_renderer.kernels import gpus, machine_code
from synth_renderer.kernels.gpus import CudaGpu

if TYPE_CHECKING:
    from collections.abc import Callable

PTX = b".version 7.4\n.target sm_75\n.address_size 64\n.visible .entry nothing() { ret; }\n"
A100, H200, RTX = CudaGpu("NVIDIA A100", (8, 0)), CudaGpu("NVIDIA H200", (9, 0)), CudaGpu("NVIDIA RTX A6000", (8, 6))
NO_GPU = "no NVIDIA driver or GPU answers here"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of Cycles kernels with one shipped kernel, and PTX that does nothing."""
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "kernel_compute_75.ptx.zst").write_bytes(zstandard.compress(PTX))
    (folder / "kernel_sm_86.cubin.zst").write_bytes(b"of the wheel")
    monkeypatch.setattr(machine_code, "find_library", lambda: folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def install_gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return lambda *found: monkeypatch.setattr(gpus, "list_gpus", lambda: found)


def test_each_gpu_has_a_line_that_says_what_cycles_does(
    library: Path, install_gpus: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    install_gpus(A100, RTX, H200)
    assert run(["kernels", "build", "--arch=sm_80"]) == 0
    capsys.readouterr()

    assert run(["kernels", "list"]) == 0
    lines = [re.split(r" {2,}", line.strip()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["GPU", "architecture", "Cycles kernels"],
        ["NVIDIA A100", "sm_80", "machine code, built here"],
        ["NVIDIA RTX A6000", "sm_86", "machine code, shipped with bpy"],
        [
            "NVIDIA H200",
            "sm_90",
            "none: the driver compiles them at the first render, for minutes, unless synth kernels build has",
        ],
    ]


def test_a_kernel_of_another_bpy_is_listed_with_the_remedy(
    library: Path, install_gpus: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    install_gpus(H200)
    assert run(["kernels", "build"]) == 0
    (library / "kernel_compute_75.ptx.zst").write_bytes(zstandard.compress(PTX + b"// changed\n"))
    capsys.readouterr()

    assert run(["kernels", "list"]) == 0
    assert "machine code of another version of bpy: run synth kernels build\n" in capsys.readouterr().out


def test_kernels_are_built_for_the_gpus_here_once(
    library: Path, install_gpus: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    install_gpus(H200, RTX, H200)

    assert run(["kernels", "build"]) == 0
    out, error = capsys.readouterr()
    assert re.fullmatch(r"sm_90: compiled, [\d.]+ k?B, [\d.]+ s\nsm_86: shipped already, 12 B, [\d.]+ s\n", out)
    assert error == "sm_90: compiling, about 10 minutes of one core and 3 GB of memory\n"
    (library / "kernel_sm_90.cubin.zst").unlink()
    assert run(["kernels", "build"]) == 0
    out, error = capsys.readouterr()
    assert out.startswith("sm_90: taken from the cache, ")
    assert error == ""


def test_architectures_are_named_where_there_is_no_gpu(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kernels", "build", "--arch", "sm_90", "--arch", "sm_100"]) == 0
    assert re.findall(r"^(sm_\d+): compiled", capsys.readouterr().out, re.MULTILINE) == ["sm_90", "sm_100"]
    assert len(list(library.iterdir())) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["list"], 75, f"{NO_GPU}; synth kernels build takes architectures, such as --arch sm_90"),
        (["build"], 2, f"--arch: {NO_GPU}; name an architecture, such as --arch sm_90"),
        (
            ["build", "--arch=90"],
            2,
            "--arch: '90' is not an architecture; write sm_ and the compute capability, such as sm_90",
        ),
        (["build", "--arch="], 2, "--arch: the text is empty, perhaps from an unset variable; give a value or leave"),
        (["make"], 2, "no such command 'make'"),
    ],
)
def test_a_call_that_cannot_work_gets_one_sentence(
    library: Path,
    install_gpus: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    sentence: str,
) -> None:
    install_gpus()
    assert run(["kernels", *arguments]) == code
    assert capsys.readouterr().err.startswith(f"error: {sentence}")
    assert len(list(library.iterdir())) == 2


def test_without_bpy_the_error_names_what_to_install(
    install_gpus: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install_gpus(H200)
    monkeypatch.setattr(machine_code, "find_spec", lambda name: None)
    assert run(["kernels", "list"]) == 2
    assert capsys.readouterr().err == "error: bpy: is not installed with Cycles here; install synth-operator[local]\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_compiler_too(library: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    ptxas, started = tmp_path / "bin" / "ptxas", tmp_path / "started"
    ptxas.parent.mkdir()
    ptxas.write_text(
        f"""#!/bin/sh
case $1 in
  --version) echo V12.9.86 ;;
  --help) echo "'sm_90'" ;;
  *) mkfifo {started} && echo $$ >{started} && exec sleep 600 ;;
esac
"""
    )
    ptxas.chmod(0o755)
    script = f"""
import sys
from pathlib import Path
from synth_renderer.kernels import machine_code
sys.modules["nvidia"] = None
machine_code.find_library = lambda: Path({str(library)!r})
from synth_cli.main import main
main()
"""
    environment = {**os.environ, "PATH": f"{ptxas.parent}:{os.environ['PATH']}"}
    command = subprocess.Popen([sys.executable, "-c", script, "kernels", "build", "--arch=sm_90"], env=environment)
    wait_until(started.exists, "the compiler was never started")
    compiler = int(started.read_text())
    command.send_signal(number)

    assert command.wait() == code
    wait_until(lambda: not Path(f"/proc/{compiler}").exists(), "the compiler still runs")
    assert len(list(library.iterdir())) == 2
