"""Architectures for which Cycles finds machine code."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from synth_api.errors import InputError
from synth_renderer.kernels.machine_code import (
    find_library,
    format_architecture,
    has_machine_code,
    name_kernel,
    parse_architecture,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_bpy_has_machine_code_for_gpus_with_ray_tracing_cores_and_none_for_those_of_data_centres() -> None:
    shipped = [capability for capability in ((7, 5), (8, 6), (8, 9), (12, 0)) if has_machine_code(capability)]

    assert shipped == [(7, 5), (8, 6), (8, 9), (12, 0)]
    assert (find_library() / "kernel_compute_75.ptx.zst").is_file()


def test_a_kernel_counts_for_its_own_architecture_alone(tmp_path: Path) -> None:
    (tmp_path / "kernel_sm_80.cubin.zst").touch()
    (tmp_path / "kernel_compute_90.ptx.zst").touch()

    assert has_machine_code((8, 0), tmp_path)
    assert not has_machine_code((8, 7), tmp_path)
    assert not has_machine_code((9, 0), tmp_path)


def test_the_folder_of_kernels_is_found_without_importing_bpy() -> None:
    script = (
        "import sys; from synth_renderer.kernels.machine_code import has_machine_code;"
        "has_machine_code((9, 0)); sys.exit('bpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_without_bpy_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth_renderer.kernels.machine_code.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"^bpy: is not installed with Cycles here; install synth-operator\[local\]$"):
        has_machine_code((9, 0))


@pytest.mark.parametrize(("text", "capability"), [("sm_75", (7, 5)), ("sm_90", (9, 0)), ("sm_120", (12, 0))])
def test_an_architecture_is_the_compute_capability(text: str, capability: tuple[int, int]) -> None:
    assert parse_architecture(text) == capability
    assert format_architecture(capability) == text
    assert name_kernel(capability) == f"kernel_{text}.cubin.zst"


@pytest.mark.parametrize("text", ["90", "sm_9", "sm_90a", "compute_90", "SM_90", "sm_1000", ""])
def test_another_word_is_no_architecture(text: str) -> None:
    with pytest.raises(InputError, match=r"^--arch: '.*' is not an architecture; write sm_ and the compute capability"):
        parse_architecture(text)
