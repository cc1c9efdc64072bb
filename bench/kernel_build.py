"""Compile Cycles kernels for an architecture with ptxas; print seconds and bytes as JSON. Needs no GPU.

python bench/kernel_build.py ARCHITECTURE [--whole]     without --whole, one small kernel of the PTX
"""

from __future__ import annotations

import json
import re
import sys
import time

import zstandard

from synth_renderer.kernels.build import COMPRESSION_LEVEL
from synth_renderer.kernels.machine_code import find_library, find_ptx, parse_architecture
from synth_renderer.kernels.ptxas import find_ptxas

KERNEL = b".visible .entry kernel_gpu_prefix_sum("
"""A small kernel, which calls nothing."""


def cut_ptx(ptx: bytes) -> bytes:
    """Return a PTX program with one of its kernels alone."""
    head = ptx[: ptx.index(b".address_size 64\n") + len(b".address_size 64\n")]
    kernel = re.compile(rb".*?\n}\n", re.DOTALL).match(ptx, ptx.index(KERNEL))
    if kernel is None:
        raise ValueError("the PTX of this bpy has no such kernel")
    return head + kernel[0]


def main(architecture: str, *flags: str) -> None:
    capability = parse_architecture(architecture)
    with zstandard.open(find_ptx(find_library(), capability), "rb") as stream:
        ptx = stream.read()
    ptxas = find_ptxas()
    start = time.perf_counter()
    code = ptxas.compile(ptx if "--whole" in flags else cut_ptx(ptx), capability)
    seconds = time.perf_counter() - start
    packed = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(code)
    sizes = {"bytes": len(code), "packed_bytes": len(packed)}
    print(json.dumps({"seconds": seconds, **sizes, "ptxas": ptxas.version, "whole": "--whole" in flags}))


if __name__ == "__main__":
    main(*sys.argv[1:])
