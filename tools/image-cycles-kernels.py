"""Inside an image build: builds Cycles kernels for the architectures given, with the ptxas of the PATH."""

from __future__ import annotations

import os
import sys

from synth_renderer.kernels.build import build_kernel, find_cache
from synth_renderer.kernels.machine_code import find_library, parse_architecture

for architecture in sys.argv[1:]:
    action = build_kernel(parse_architecture(architecture), find_library(), find_cache(os.environ), print)
    print(f"{architecture}: {action}", flush=True)
