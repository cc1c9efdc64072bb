"""Start-up of a GPU, and a GPU that fails, in Cycles itself: its driver computes nothing and fails where it is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from waiting import SECONDS, wait_until

from synth_api.jobs.kernel_cache import DRIVER_CACHE_VARIABLE, KERNEL_CACHE_BYTES_VARIABLE, KERNEL_CACHE_VARIABLE
from synth_renderer.blender.kernel_loading import load_kernels

SCRIPT: Final = """
import json, os, sys
from pathlib import Path
from synth_renderer.blender.kernel_loading import load_kernels

def load(device, failing):
    Path(os.environ["FAKE_CUDA_ERRORS"]).write_text(failing)
    said = []
    try:
        record = load_kernels(device, said.append)
    except RuntimeError as error:
        return {"said": said, "error": type(error).__name__, "message": str(error), "reason": error.reason}
    return {"said": said, "gpu": record.model_dump(), "described": record.describe()}

print(json.dumps([load(*case) for case in json.loads(sys.argv[1])]), flush=True)
os._exit(0)
"""
FAILURES: Final = {
    "cuDevicePrimaryCtxRetain 46": "Failed to retain CUDA context",
    "cuModuleLoadData 200": "Failed to load CUDA kernel from",
    "cuStreamSynchronize 700": "Illegal address in CUDA queue synchronize",
    "cuCtxSynchronize 214": "Uncorrectable ECC error detected in cuCtxSynchronize()",
    "cuMemAlloc_v2 2": "System is out of GPU",
}


@pytest.fixture(scope="session")
def loaded(cuda_driver: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    """(device, failing call) -> what start-up says, returns and raises, on a machine with an A100."""
    cases = [("auto", ""), ("gpu", ""), ("cuda", ""), ("hip", ""), *(("gpu", call) for call in FAILURES)]
    errors: Path = tmp_path_factory.mktemp("failing") / "calls"
    gpu = {"FAKE_CUDA_NAME": "NVIDIA A100-SXM4-80GB", "FAKE_CUDA_CAPABILITY": "80", "FAKE_CUDA_ERRORS": str(errors)}
    command = [sys.executable, "-c", SCRIPT, json.dumps(cases)]
    process = subprocess.run(command, env={**cuda_driver, **gpu}, stdout=subprocess.PIPE, text=True, check=True)
    return dict(zip(cases, json.loads(process.stdout.splitlines()[-1]), strict=True))


def test_the_cpu_has_nothing_to_load() -> None:
    said: list[str] = []

    assert load_kernels("cpu", said.append) is None
    assert said == []


@pytest.mark.parametrize("device", ["auto", "gpu", "cuda"])
def test_a_gpu_renders_a_picture_first_and_is_known_by_name_capability_driver_and_backend(
    device: str, loaded: dict[tuple[str, str], Any]
) -> None:
    result = loaded[device, ""]

    (sentence,) = result["said"]
    assert sentence.partition(" ")[2].startswith("Cycles kernels for NVIDIA A100-SXM4-80GB (sm_80)")
    assert result["gpu"]["startup_seconds"] > 0
    assert {name: value for name, value in result["gpu"].items() if name != "startup_seconds"} == {
        "name": "NVIDIA A100-SXM4-80GB",
        "compute_capability": "8.0",
        "driver": "580.159.03",
        "backend": "CUDA",
    }
    assert result["described"] == "NVIDIA A100-SXM4-80GB (sm_80), CUDA"


@pytest.mark.parametrize(("call", "message"), FAILURES.items())
def test_a_gpu_that_cannot_render_the_first_picture_is_unavailable(
    call: str, message: str, loaded: dict[tuple[str, str], Any]
) -> None:
    result = loaded["gpu", call]

    assert (result["error"], result["reason"]) == ("DeviceFailedError", "DeviceUnavailable")
    assert result["message"].startswith(f"the GPU failed: {message}")


def test_a_device_that_is_not_there_is_refused_before_anything_is_said(loaded: dict[tuple[str, str], Any]) -> None:
    assert loaded["hip", ""]["error"] == "DeviceUnavailableError"
    assert loaded["hip", ""]["said"] == []


def start_pod(cuda_driver: dict[str, str], folder: Path, pod: str, **environment: str) -> subprocess.Popen[str]:
    """Start a process of a pod whose kernel cache is the folder `kernels`; it prints what `SCRIPT` does."""
    (folder / "kernels").mkdir(exist_ok=True)
    variables = {
        **{"FAKE_CUDA_NAME": "NVIDIA A100", "FAKE_CUDA_CAPABILITY": "80", "FAKE_CUDA_ERRORS": str(folder / pod)},
        DRIVER_CACHE_VARIABLE: str(folder / f"{pod}-driver"),
        KERNEL_CACHE_VARIABLE: str(folder / "kernels"),
        KERNEL_CACHE_BYTES_VARIABLE: str(1 << 30),
    }
    command = [sys.executable, "-c", SCRIPT, json.dumps([("gpu", "")])]
    return subprocess.Popen(command, env={**cuda_driver, **variables, **environment}, stdout=subprocess.PIPE, text=True)


def read_sentences(pod: subprocess.Popen[str]) -> list[str]:
    """Return what a pod said, at its end."""
    printed, _ = pod.communicate(timeout=SECONDS)
    (result,) = json.loads(printed.splitlines()[-1])
    sentences: list[str] = result["said"]
    return sentences


def test_the_next_pod_has_what_the_driver_compiled(cuda_driver: dict[str, str], tmp_path: Path) -> None:
    """The fake driver compiles nothing, which is kept as well."""
    first, second = (read_sentences(start_pod(cuda_driver, tmp_path, pod)) for pod in ("first", "second"))

    assert [sentence.partition(" ")[2].partition(";")[0] for sentence in first] == [
        "Cycles kernels for NVIDIA A100 (sm_80)"
    ]
    assert second == ["Loading Cycles kernels for NVIDIA A100 (sm_80)"]
    (archive,) = (tmp_path / "kernels").iterdir()
    assert re.fullmatch(r"NVIDIA-A100-driver-580\.159\.03-bpy-4\.5\.\d+-LTS-cuda\.tar\.zst", archive.name)


def test_a_process_shows_that_it_lives_while_its_driver_compiles(cuda_driver: dict[str, str], tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    pod = start_pod(cuda_driver, tmp_path, "pod", FAKE_CUDA_HOLD=str(hold))
    wait_until(Path(f"{hold}.reached").exists, "the GPU never gets to the hold")
    (lease,) = (tmp_path / "kernels").iterdir()
    os.utime(lease, (0, 0))

    wait_until(lambda: lease.stat().st_mtime > 0, "the lease is never renewed")

    hold.unlink()
    assert len(read_sentences(pod)) == 1
