import os
import subprocess
import sys

import pytest

SETTLE = """
import hashlib, numpy as np
from synth_renderer.physics.forces import Forces
from synth_renderer.physics.spheres import settle_spheres
from synth_renderer.model.staged_scene import Box
rng = np.random.default_rng(3)
locations, radii = rng.uniform(-20, 20, (80, 3)), rng.uniform(2.5, 3.5, 80)
forces = Forces(num_frames=60, use_gravity=True, gravity=(0, 0, -1000))
settled, _ = settle_spheres(locations, radii, forces, Box((-20, -20, -20), (20, 20, 20)))
print(hashlib.sha256(settled.tobytes()).hexdigest())
"""


def digest(**masks: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SETTLE],
        env=os.environ | masks,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_masked_processor_features_change_no_bit(generic_processor):
    plain = digest()
    assert digest(**generic_processor) == plain
    masked = {name: generic_processor[name] for name in ("GLIBC_TUNABLES", "NPY_DISABLE_CPU_FEATURES")}
    assert digest(**masked) == plain, "kernels for this processor, its libraries for another"
