"""What `dimensions`, `width` and `height` make of a particle, in whatever order they are set."""

from typing import Any

import numpy as np
import pytest

from synth_api.recipe.model import ParticleBlueprint
from synth_renderer.scene.world import Particles, World


def particles(geometry: str, **features: Any) -> Particles:
    """One particle as its blueprint makes it."""
    world = World(None)  # type: ignore[arg-type]
    world.invoke_particles("P", ParticleBlueprint(geometry_prototype_name=geometry, number=1, features=features), 1)
    return world.particles


@pytest.mark.parametrize(
    ("geometry", "features", "extents"),
    [
        ("ellipsoid", {}, (1, 1, 0.5)),
        ("ellipsoid", {"height": 0.8}, (1, 1, 0.8)),
        ("ellipsoid", {"width": 2.0}, (1, 2, 0.5)),
        ("ellipsoid", {"dimensions": (4.0, 4.0, 4.0)}, (4, 4, 4)),
        ("ellipsoid", {"dimensions": (4.0, 4.0, 4.0), "height": 0.8}, (4, 4, 3.2)),
        ("rough_ellipsoid", {"height": 0.8}, (1, 1, 0.8)),
        ("rod", {}, (1, 1, 4)),
        ("rod", {"height": 6.0}, (1, 1, 6)),
        ("bent_rod", {"dimensions": (2.0, 2.0, 2.0)}, (2, 2, 2)),
        ("cube", {"height": 2.0}, (1, 1, 2)),
    ],
)
def test_factors_multiply_a_unit_body_or_the_dimensions_that_are_set(geometry, features, extents) -> None:
    np.testing.assert_allclose(particles(geometry, **features).compute_size(0), extents)


@pytest.mark.parametrize(
    ("updates", "extents"),
    [
        ({"height": 0.8}, (1, 1, 0.8)),
        ({"height": 0.8, "dimensions": (4.0, 4.0, 4.0)}, (4, 4, 4)),
        ({"dimensions": (4.0, 4.0, 4.0), "height": 0.8}, (4, 4, 3.2)),
    ],
)
def test_new_dimensions_absorb_the_factors(updates, extents) -> None:
    ellipsoid = particles("ellipsoid")
    for name, value in updates.items():
        ellipsoid.set_feature(0, name, value)
    np.testing.assert_allclose(ellipsoid.compute_size(0), extents)
