"""Load Cycles kernels on a device in a new process and render a picture of a few pixels; print the seconds as JSON.

python bench/first_picture.py DEVICE
"""

from __future__ import annotations

import json
import os
import sys
import time

import psutil

from synth_renderer.blender.kernel_loading import load_kernels


def main(device: str) -> None:
    said: list[str] = []
    gpu = load_kernels(device, said.append)
    seconds = time.time() - psutil.Process().create_time()
    print(json.dumps({"seconds": seconds, "said": said, "gpu": gpu and gpu.model_dump()}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # bpy 4.5 can hang in a static destructor
