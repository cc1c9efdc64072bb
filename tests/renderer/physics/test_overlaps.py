from __future__ import annotations

import numpy as np
import pytest

from synth_renderer.physics.overlaps import measure_largest_overlap

WALLS = np.array([-50.0, 50.0, -50.0, 50.0, -50.0, 50.0])


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_an_overlap_is_a_fraction_of_the_smaller_radius(order: slice) -> None:
    locations, radii = np.array([[0.0, 0.0, 0.0], [3.5, 0.0, 0.0]])[order], np.array([3.0, 1.0])[order]
    assert measure_largest_overlap(locations.copy(), radii.copy(), WALLS) == pytest.approx(0.5)


def test_an_overlap_with_a_wall_is_a_fraction_of_the_radius() -> None:
    assert measure_largest_overlap(np.array([[0.0, 0.0, -48.5]]), np.array([2.0]), WALLS) == pytest.approx(0.25)
