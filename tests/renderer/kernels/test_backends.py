"""The backend of each GPU, and the sentence about its first picture."""

from __future__ import annotations

from typing import Final

import pytest

from synth_renderer.kernels.backends import describe_gpus, describe_loading, order_backends
from synth_renderer.kernels.gpus import CudaGpu

H200: Final = CudaGpu("NVIDIA H200", (9, 0))
A100: Final = CudaGpu("NVIDIA A100-SXM4-80GB", (8, 0))
L4: Final = CudaGpu("NVIDIA L4", (8, 9))


@pytest.mark.parametrize(
    ("name", "capability", "backend"),
    [
        ("Tesla V100-SXM2-16GB", (7, 0), "cuda"),
        ("Tesla T4", (7, 5), "optix"),
        ("NVIDIA T4G", (7, 5), "optix"),
        ("NVIDIA GeForce RTX 2080 Ti", (7, 5), "optix"),
        ("Quadro RTX 6000", (7, 5), "optix"),
        ("NVIDIA TITAN RTX", (7, 5), "optix"),
        ("NVIDIA GeForce GTX 1660 Ti", (7, 5), "cuda"),
        ("NVIDIA T400 4GB", (7, 5), "cuda"),
        ("NVIDIA T1000", (7, 5), "cuda"),
        ("NVIDIA GeForce MX450", (7, 5), "cuda"),
        ("NVIDIA A100-SXM4-80GB", (8, 0), "cuda"),
        ("NVIDIA A10G", (8, 6), "optix"),
        ("NVIDIA L40S", (8, 9), "optix"),
        ("NVIDIA H100 PCIe", (9, 0), "cuda"),
        ("NVIDIA H200", (9, 0), "cuda"),
        ("NVIDIA B200", (10, 0), "cuda"),
        ("NVIDIA B300", (10, 3), "cuda"),
        ("NVIDIA GeForce RTX 5090", (12, 0), "optix"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb", (12, 0), "cuda"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", (8, 0), "cuda"),
    ],
)
def test_gpus_with_ray_tracing_cores_render_with_optix_and_the_others_with_cuda(
    name: str, capability: tuple[int, int], backend: str
) -> None:
    assert order_backends([CudaGpu(name, capability)], cache_lasts=True)[0] == backend


def test_optix_waits_for_a_cache_that_outlives_the_process() -> None:
    assert order_backends([L4], cache_lasts=False) == ("cuda", "optix", "hip", "oneapi")


def test_one_gpu_without_ray_tracing_cores_makes_all_gpus_of_a_process_use_cuda() -> None:
    assert order_backends([L4, H200], cache_lasts=True)[0] == "cuda"


def test_without_nvidia_s_driver_hip_and_oneapi_keep_their_order() -> None:
    assert [word for word in order_backends([], cache_lasts=True) if word in ("hip", "oneapi")] == ["hip", "oneapi"]


@pytest.mark.parametrize(
    ("gpus", "backend", "compiled", "sentence"),
    [
        ([A100], "cuda", [], "Compiling Cycles kernels for NVIDIA A100-SXM4-80GB (sm_80); once per driver"),
        ([H200], "cuda", [(9, 0)], "Loading Cycles kernels for NVIDIA H200 (sm_90)"),
        (
            [L4],
            "optix",
            [(8, 9)],
            "Loading Cycles kernels for NVIDIA L4 (sm_89); OptiX compiles its own once per driver",
        ),
        ([L4, H200], "cuda", [(8, 9)], "Compiling Cycles kernels for NVIDIA H200 (sm_90); once per driver"),
        ([], "hip", [], "Loading Cycles kernels for HIP"),
    ],
)
def test_the_sentence_names_the_gpu_and_says_whether_the_driver_compiles(
    gpus: list[CudaGpu], backend: str, compiled: list[tuple[int, int]], sentence: str
) -> None:
    assert describe_loading(gpus, backend, compiled.__contains__) == sentence


def test_eight_equal_gpus_have_one_name() -> None:
    assert describe_gpus([H200] * 8) == "NVIDIA H200 (sm_90)"
