"""A folder of Cycles kernels whose PTX is cut to one small kernel, which ptxas compiles in a twentieth of a second."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
import zstandard

from synth_renderer.kernels.machine_code import find_library

if TYPE_CHECKING:
    from pathlib import Path

PTX: Final = "kernel_compute_75.ptx.zst"


@pytest.fixture(scope="session")
def cut_ptx() -> bytes:
    """The PTX of bpy's wheel with `kernel_gpu_prefix_sum` alone."""
    with zstandard.open(find_library() / PTX, "rb") as stream:
        ptx = stream.read()
    head = ptx[: ptx.index(b".address_size 64\n") + 17]
    start = ptx.index(b".visible .entry kernel_gpu_prefix_sum(")
    kernel = re.compile(rb".*?\n}\n", re.DOTALL).match(ptx, start)
    assert kernel
    return head + kernel[0]


@pytest.fixture
def library(tmp_path: Path, cut_ptx: bytes) -> Path:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / PTX).write_bytes(zstandard.compress(cut_ptx))
    return folder
