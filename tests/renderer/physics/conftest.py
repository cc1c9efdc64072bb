from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from synth_renderer.geometry.prototypes import build_mesh
from synth_renderer.model.bodies import Bodies
from synth_renderer.model.staged_scene import Box

Start = tuple[NDArray[np.float64], NDArray[np.float64]]


@pytest.fixture(scope="session")
def box() -> Box:
    """The volume of the secondary electron microscope."""
    return Box((-60.0, -60.0, 0.0), (60.0, 60.0, 51.2))


@pytest.fixture(scope="session")
def start(box: Box) -> Callable[[int, int], Start]:
    """Locations and radii of beads of diameter U(5, 7), centres uniform in the box."""

    def beads(number: int, seed: int) -> Start:
        rng = np.random.default_rng(seed)
        radii = rng.uniform(2.5, 3.5, number)
        return rng.uniform(box.lower, box.upper, (number, 3)), radii

    return beads


@pytest.fixture(scope="session")
def beads_of() -> Callable[[NDArray[np.float64], NDArray[np.float64]], Bodies]:
    """Spheres as bodies, from locations (N, 3) and radii (N,)."""

    def make(locations: NDArray[np.float64], radii: NDArray[np.float64]) -> Bodies:
        count = len(radii)
        return Bodies(
            meshes=(build_mesh("sphere", 1),),
            mesh_index=np.zeros(count, np.int32),
            scales=np.repeat(2 * radii[:, None], 3, axis=1),
            quaternions=np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
            locations=locations,
            is_sphere=np.ones(count, bool),
        )

    return make
