"""Settings that all tests share: Hypothesis' profiles, the order of files, the environment of another processor."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

# No deadline: on a busy machine an example is slow, not wrong. `make test` has the same examples each time, `make soak`
# random ones.
settings.register_profile("test", deadline=None, derandomize=True, database=None)
settings.register_profile("soak", deadline=None, max_examples=2000, database=None)
settings.load_profile("test")

# A shell ignores SIGINT for a command in the background, and each process that a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST_FILES: Final = (
    # on a cluster
    *(
        "test_faults.py",
        "test_datasets.py",
        "test_tutorial.py",
        "test_waiting.py",
        "test_operator_restarts.py",
        "test_gpu.py",
    ),
    *("test_operator_rights.py", "test_deletion.py", "test_metrics.py", "test_upgrade.py", "test_gitops.py"),
    # without one
    *("test_signal_runs.py", "test_render.py", "test_broad_recipe.py", "test_batch_pod.py", "test_standard_streams.py"),
    *("test_label_promise.py", "test_crashes.py", "test_settle_spheres.py", "test_deposit_on_substrate.py"),
)
"""Names of the test files that take longest; they start first, so that all workers end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests of LONGEST_FILES to the front."""
    rank = {name: place for place, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.fixture(scope="session")
def generic_processor(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a process without AVX and FMA; all such processes of a test run share their compiled kernels."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    return {
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX2 FMA3",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(shared / "generic-kernels"),
        "OPENCV_CPU_DISABLE": "AVX2,FMA3,AVX512-SKX",
    }


@pytest.fixture(scope="session")
def cuda_driver(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a process that finds a CUDA driver with one GPU, which computes nothing: `tests/fake_cuda.c`."""
    folder = tmp_path_factory.mktemp("cuda-driver")
    libraries = [folder / "libcuda.so.1", folder / "libnvidia-ml.so.1"]
    source = Path(__file__).with_name("fake_cuda.c")
    for library in libraries:
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return {**os.environ, "LD_LIBRARY_PATH": str(folder)}
