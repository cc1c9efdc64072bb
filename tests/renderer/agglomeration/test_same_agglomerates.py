"""An agglomerate is the same on every processor."""

import os
import subprocess
import sys

import pytest

GROW = """
import hashlib, numpy as np
from synth_renderer.agglomeration.growth import grow_agglomerate
radii = np.random.default_rng(3).uniform(0.5, 2.0, 60)
digest = hashlib.sha256()
for mode in ("cluster-cluster", "particle-cluster"):
    for randomness in (0.0, 0.5, 1.0):
        for part in grow_agglomerate(radii, mode, 0.5, randomness, 0.1, np.uint64(8)):
            digest.update(part.tobytes())
print(digest.hexdigest())
"""


def digest(**masks: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", GROW]
    return subprocess.run(command, env=os.environ | masks, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_masked_processor_features_change_no_bit(generic_processor) -> None:
    assert digest(**generic_processor) == digest()
