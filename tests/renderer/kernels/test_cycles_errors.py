"""Cycles' messages about GPUs: which end the process, which the run, and which are about something else."""

from __future__ import annotations

import pytest

from synth_renderer.kernels.cycles_errors import find_gpu_error
from synth_renderer.model.errors import DeviceFailedError, GpuMemoryError

BROKEN = [
    "Illegal address in CUDA queue copy_from_device (integrator_shade_surface integrator_sorted_paths_array)",
    "Uncorrectable ECC error detected in cuCtxSynchronize() (intern/cycles/device/cuda/queue.cpp:70)",
    "Unknown error in cuMemcpyDtoH_v2( (char *)mem.host_pointer + offset, size) (device_impl.cpp:701)",
    "Failed to retain CUDA context (Unknown CUDA error value)",
    "Failed to load CUDA kernel from '/lib/kernel_compute_75.ptx.zst' (Invalid kernel image)",
    "OPTIX_ERROR_CUDA_ERROR in optixLaunch(pipeline, stream) (intern/cycles/device/optix/queue.cpp:152)",
    "Failed to load OptiX kernel from '/lib/kernel_optix.ptx.zst' (OPTIX_ERROR_INVALID_PTX)",
    "hipErrorLaunchFailure in HIP queue enqueue (integrator_init_from_camera)",
    'oneAPI kernel "integrator_init" execution error: got runtime exception "DEVICE_LOST"',
]
TOO_LARGE = [
    "System is out of GPU memory",
    "System is out of GPU and shared host memory",
    "Out of memory in CUDA queue enqueue (integrator_shade_volume)",
    "OPTIX_ERROR_DEVICE_OUT_OF_MEMORY in optixAccelBuild(context) (device/optix/device_impl.cpp:9)",
    "Failed to load CUDA kernel from '/lib/kernel_sm_90.cubin.zst' (Out of memory)",
]
OTHER = ["Cannot render, no camera", "No space left on device", "Failed allocate render result, out of memory"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_gpu_that_fails_is_unavailable_for_all_runs(text: str) -> None:
    error = find_gpu_error(f"Error: {text}\n")

    assert isinstance(error, DeviceFailedError)
    assert str(error).startswith(f"the GPU failed: {text}; ")
    assert error.reason == "DeviceUnavailable"


@pytest.mark.parametrize("text", TOO_LARGE)
def test_a_scene_that_does_not_fit_into_the_gpu_s_memory_is_the_run_s_failure(text: str) -> None:
    error = find_gpu_error(f"Error: {text}\nError: Launch failed in CUDA queue synchronize ()\n")

    assert isinstance(error, GpuMemoryError)
    assert str(error) == f"the GPU has too little free memory for this run: {text}"
    assert error.reason == "OutOfGpuMemory"


@pytest.mark.parametrize("text", OTHER)
def test_other_errors_of_blender_are_none_of_the_gpu(text: str) -> None:
    assert find_gpu_error(f"Error: {text}\n") is None
