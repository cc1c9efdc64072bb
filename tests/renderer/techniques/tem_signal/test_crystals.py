"""Diffraction contrast: two beams, grains, twins and bend contours."""

import math

import numpy as np
import pytest

from synth_renderer.techniques.tem_signal.crystals import (
    compute_reflected_share,
    draw_grains,
    multiply_by_passing_share,
)


@pytest.mark.parametrize(
    ("thickness", "w", "share"),
    [(0.0, 0.0, 0.0), (0.5, 0.0, 1.0), (1.0, 0.0, 0.0), (0.5, 1.0, math.sin(math.pi * math.sqrt(2) / 2) ** 2 / 2)],
)
def test_the_reflected_share_of_two_beams(thickness, w, share):
    assert compute_reflected_share(thickness, w) == pytest.approx(share, abs=1e-6)


def pass_slab(thickness=0.5, contrast=1.0, tilt=0.0, bend=0.0, grains=1, twins=0, key=7):
    """Return what passes a slab of 40 x 40 samples, as wide as it is high; thickness in extinction distances."""
    passing = np.ones((40, 40), dtype=np.float32)
    length = np.full(passing.shape, thickness)
    length[:, :4] = 0.0
    entry = np.full(passing.shape, 10.0)
    multiply_by_passing_share(
        passing, entry, entry, length, (-0.5, 0.5, 10.0), 1 / 40, 1.0, np.eye(3), contrast, 1.0, tilt, bend, grains,
        twins, np.uint64(key),
    )  # fmt: skip
    return passing


def test_a_crystal_in_the_bragg_condition_passes_nothing_and_nothing_changes_beside_it():
    passing = pass_slab()
    assert passing[:, 4:] == pytest.approx(0.0, abs=1e-6)
    assert (passing[:, :4] == 1.0).all()
    assert pass_slab(contrast=0.4)[:, 4:] == pytest.approx(0.6, abs=1e-6)


def test_each_grain_has_one_level_and_its_own_tilt():
    levels = np.unique(pass_slab(tilt=3.0, grains=5)[:, 4:])
    assert 2 <= len(levels) <= 5
    assert len(np.unique(pass_slab(tilt=3.0)[:, 4:])) == 1
    assert pass_slab(tilt=3.0)[0, 9] != pass_slab(tilt=3.0, key=8)[0, 9]


def test_twins_share_two_levels():
    levels, counts = np.unique(pass_slab(tilt=3.0, twins=6)[:, 4:], return_counts=True)
    assert len(levels) == 2
    assert counts.min() > 100


def test_a_bent_crystal_has_a_contour_where_it_meets_the_bragg_condition():
    passing = pass_slab(bend=20.0)
    assert passing[:, 4:].min() < 0.1
    assert passing[:, 4:].max() > 0.9


def test_the_middles_of_grains_lie_in_the_particle():
    middles, deviations = draw_grains(np.uint64(3), 64, 2.0)
    assert np.abs(middles).max() <= 0.5
    assert np.abs(deviations).max() <= 2.0
    assert deviations.std() == pytest.approx(2 / math.sqrt(3), rel=0.15)
