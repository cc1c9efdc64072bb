"""Staged scenes of beads under the transmission electron microscope, without recipe and physics."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import staged_beads
from numpy.typing import NDArray

from synth_renderer.model.staged_scene import StagedScene


@pytest.fixture(scope="session")
def stage_beads() -> Callable[..., StagedScene]:
    """`stage_beads(beads, particles={}, material=…, background=…, seed=0, **features)`; beads (N, 4): x, y, z, size."""
    stage = partial(staged_beads.stage_beads, name="TEM", technique="transmission_electron_microscope", subdivisions=4)

    def make(beads, particles=None, *, material="tem_particle", background="vacuum", **features) -> StagedScene:
        return stage(beads, particles=particles, material=material, background=background, **features)

    return make


@pytest.fixture(scope="session")
def take_picture() -> Callable[..., NDArray[np.uint8]]:
    """`take_picture(scene, present=None, in_camera=None)`: the real image, of all bodies by default."""
    return staged_beads.take_picture
