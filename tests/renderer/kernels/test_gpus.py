"""GPUs and driver of a process, asked of a driver without a GPU in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SCRIPT: Final = """
from synth_renderer.kernels.gpus import list_gpus, read_driver_version
print(*((gpu.name, gpu.capability) for gpu in list_gpus()), read_driver_version())
"""


def ask_driver(environment: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True
    ).stdout.strip()


def test_the_driver_names_gpu_capability_and_version(cuda_driver: dict[str, str]) -> None:
    environment = {**cuda_driver, "FAKE_CUDA_NAME": "NVIDIA RTX 6000", "FAKE_CUDA_CAPABILITY": "120"}

    assert ask_driver(environment) == "('NVIDIA RTX 6000', (12, 0)) 580.159.03"


def test_a_driver_that_answers_with_an_error_has_no_gpu(cuda_driver: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "errors").write_text("cuInit 999\n")

    assert ask_driver({**cuda_driver, "FAKE_CUDA_ERRORS": str(tmp_path / "errors")}) == "580.159.03"


def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    from synth_renderer.kernels import gpus

    monkeypatch.setattr(gpus, "CUDA_LIBRARY", "libnone.so.1")
    monkeypatch.setattr(gpus, "NVML_LIBRARY", "libnone.so.1")

    assert gpus.list_gpus.__wrapped__() == ()
    assert gpus.read_driver_version.__wrapped__() == ""
