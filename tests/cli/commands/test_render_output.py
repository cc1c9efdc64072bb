"""What `synth render` prints: the paths at its end, and what the first run waits for, on a terminal and elsewhere."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest
import zstandard

from synth_renderer.kernels.machine_code import build_digest_frame, find_library, find_ptx, name_kernel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Command

SYNTH: Final = (sys.executable, "-c", "from synth_cli.main import main; main()")
VIEWS: Final = {"gallery": "index.html", "coco": "coco.json", "index": "index.parquet", "dataset": "dataset.json"}
GPU: Final = {"FAKE_CUDA_NAME": "NVIDIA A100-SXM4-80GB", "FAKE_CUDA_CAPABILITY": "80"}
SENTENCE: Final = "Compiling Cycles kernels for NVIDIA A100-SXM4-80GB (sm_80); once per driver"
TRACING_ENGINE: Final = """
from trial_engine import render
from synth_renderer.blender.kernel_loading import load_kernels as prepare_device
from synth_renderer.kernels import machine_code
from pathlib import Path
machine_code.find_library = lambda: Path({library!r})
"""
COMPILING_ENGINE: Final = """
import trial_engine
from synth_renderer.numerics import compilation
from synth_renderer.numerics.compilation import watch_compilation
from synth_renderer.numerics.kernel import kernel
compilation.MIN_SECONDS = 0.0

@kernel
def add(a, b):
    return a + b

def render(recipe, folder, device):
    add(1, 2)
    return trial_engine.render(recipe, folder, device)
"""


def read_paths(printed: str) -> dict[str, str]:
    """Return name -> path of the lines with nothing else."""
    return dict(re.findall(r"^([a-z]+) +(\S+/\S+)$", printed, re.MULTILINE))


def run_on_terminal(
    command: Command, *arguments: str, columns: int = 80, look: Callable[[str], None] = lambda _: None
) -> str:
    """Return what a command writes to a terminal; `look` sees it as it grows."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    environment = {**command.environment, "TERM": "xterm-256color"}
    process = subprocess.Popen([*SYNTH, *arguments], stdout=theirs, stderr=theirs, cwd=command.folder, env=environment)
    os.close(theirs)
    written = b""
    with suppress(OSError):  # EIO at the end of a terminal
        while data := os.read(ours, 1 << 16):
            written += data
            look(written.decode(errors="replace"))
    os.close(ours)
    process.wait()
    return written.decode()


def strip_styles(written: str) -> str:
    """Return the text of a terminal without colours and links."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\", "", written).replace("\r\n", "\n")


def test_the_end_names_what_one_opens_next_each_path_once(synth: Command) -> None:
    _, out, _ = synth.render(2)

    paths = read_paths(out)
    assert {name: path.rpartition("/")[2] for name, path in paths.items()} == VIEWS
    assert all((synth.folder / path).is_file() for path in paths.values())
    assert [line for line in out.splitlines() if line != line.rstrip()] == []
    assert read_paths(synth.render(2)[1]) == paths


def test_the_log_is_named_where_runs_have_failed(synth: Command) -> None:
    synth.order(1, "raise")

    assert list(read_paths(synth.render(2)[1])) == [*VIEWS, "log"]


def test_on_a_narrow_terminal_paths_stay_whole_and_are_links(synth: Command) -> None:
    written = run_on_terminal(synth, *synth.render_arguments(1), columns=30)

    paths = read_paths(strip_styles(written))
    assert {name: path.rpartition("/")[2] for name, path in paths.items()} == VIEWS
    assert re.findall(r"\x1b\]8;[^;]*;file://([^\x1b]+)\x1b", written) == [
        str(synth.folder / path) for path in paths.values()
    ]


@pytest.fixture
def library(synth: Command, cuda_driver: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of Cycles kernels with PTX, for an engine on a machine with an A100 and nothing to render."""
    folder = synth.folder / "lib"
    folder.mkdir()
    ptx = find_ptx(find_library(), (8, 0))
    (folder / ptx.name).symlink_to(ptx)
    (synth.folder / "tracing_engine.py").write_text(TRACING_ENGINE.format(library=str(folder)))
    synth.recipe.write_text(
        synth.recipe.read_text().replace(
            "rendering_steps: []",
            "rendering_steps: [{_target_: $builtins.RenderParticlesTogether, rendering_mode: real}]",
        )
    )
    for name, value in {**GPU, "LD_LIBRARY_PATH": cuda_driver["LD_LIBRARY_PATH"]}.items():
        monkeypatch.setenv(name, value)
    return folder


def test_a_terminal_says_that_the_driver_compiles_with_seconds(
    synth: Command, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = synth.folder / "hold"
    hold.touch()
    monkeypatch.setenv("FAKE_CUDA_HOLD", str(hold))

    def release(written: str) -> None:
        if re.search(r"compiling: [1-9]", written):
            hold.unlink(missing_ok=True)

    arguments = ("render", "tiny.yaml", "--out=dataset", "--engine=tracing_engine:render", "--device=gpu")
    written = strip_styles(run_on_terminal(synth, *arguments, look=release))

    assert written.count(f"{SENTENCE}\n") == 1
    assert not hold.exists()
    assert "1 run rendered in " in written


def test_a_kernel_that_was_built_for_another_bpy_ends_the_command_with_file_and_remedy(
    synth: Command, library: Path
) -> None:
    (library / "kernel_compute_50.ptx.zst").write_bytes(zstandard.compress(b"another"))
    outdated = library / name_kernel((8, 0))
    outdated.write_bytes(build_digest_frame(library / "kernel_compute_50.ptx.zst"))

    code, out, error = synth.run("render", "tiny.yaml", "--out=dataset", "--engine=tracing_engine:render")

    assert (code, out) == (75, "")
    assert error == (
        f"error: {outdated} was built for another version of bpy: run synth kernels build --arch sm_80, "
        "or delete the file\n"
    )


def test_the_first_run_on_a_machine_says_that_it_compiles_and_later_ones_do_not(
    synth: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(synth.folder / "kernels"))
    (synth.folder / "compiling_engine.py").write_text(COMPILING_ENGINE)

    def render(name: str) -> str:
        return synth.run("render", "tiny.yaml", f"--out={name}", "--engine=compiling_engine:render")[2]

    assert re.match(
        r"rendering 0 of 1 run, [\d.]+ s, Compiling numerical kernels; once per machine: 0\.0 s\n", render("first")
    )
    assert re.match(r"rendering 1 of 1 run, ", render("second"))
