"""Drawn values do not depend on what the processor can do: logarithms and cosines differ in their last bits only."""

import os
import subprocess
import sys

import pytest

DRAW = """
from hashlib import sha256
from synth_api.recipe.variabilities import LogNormal3dHomogeneous, RandomHsvColorAsRgb
from synth_renderer.model.staged_scene import Box
from synth_renderer.randomness.streams import Stream
from synth_renderer.randomness.variabilities import Scale, draw_value

box = Box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
kinds = (LogNormal3dHomogeneous(geometric_mean=7.3, geometric_standard_deviation=1.7), RandomHsvColorAsRgb())
values = [draw_value(kind, Stream(seed, "step", "bead", "any"), Scale(box)) for kind in kinds for seed in range(10_000)]
print(sha256(repr(values).encode()).hexdigest())
"""


def digest(**environment: str) -> str:
    command = [sys.executable, "-c", DRAW]
    return subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="masks are glibc's")
def test_masked_instructions_change_no_drawn_value() -> None:
    masked = digest(
        GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2,-FMA", NPY_DISABLE_CPU_FEATURES="AVX2 FMA3 AVX512F AVX512CD AVX512_SKX"
    )
    assert masked == digest()
