"""Staged scenes of beads under the signal model, without recipe and physics."""

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
    """`stage_beads(beads, seed=0, particles={}, background=…, **features)`; beads (N, 4): x, y, z, diameter."""
    return partial(
        staged_beads.stage_beads,
        name="SEM",
        technique="scanning_electron_microscope",
        material="sem_particle",
        background="sem_ground",
        subdivisions=2,
    )


@pytest.fixture(scope="session")
def take_picture() -> Callable[..., NDArray[np.uint8]]:
    """`take_picture(scene, present=None, in_camera=None)`: the real image, of all bodies by default."""
    return staged_beads.take_picture
