"""The imaging model in formulas."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_renderer.techniques.sem_traced.detector import (
    Acceptance,
    Electronics,
    TiltYield,
    compute_beam_electrons,
    detect_electrons,
)

QUIET = Electronics(illumination=2.0, electrons=math.inf, read_noise=0.0, line_noise=0.0, noise_correlation=0.0)
NOISY = replace(QUIET, electrons=200.0)


def flat(level: float, size: int = 200) -> np.ndarray:
    return np.full((size, size), level)


@given(st.floats(-0.9, 10), st.floats(0.01, 0.95), st.floats(0.1, 4))
def test_yield_is_one_for_a_level_facet_and_one_plus_the_edge_factor_at_the_rim(factor, cutoff, exponent):
    tilt_yield = TiltYield(factor, cutoff, exponent)
    assert tilt_yield(np.array([1.0, 0.0])) == pytest.approx([1.0, 1.0 + factor])


@given(st.floats(0.1, 10), st.floats(0.01, 0.95), st.floats(0.1, 4))
def test_yield_grows_with_tilt(factor, cutoff, exponent):
    facing = np.linspace(1.0, 0.0, 50)
    assert (np.diff(TiltYield(factor, cutoff, exponent)(facing)) >= 0).all()


def test_the_yield_can_be_the_secant_of_the_tilt():
    facing = np.array([0.9, 0.5, 0.3])
    assert TiltYield(factor=1 / 0.2 - 1, cutoff=0.2, exponent=1.0)(facing) == pytest.approx(1 / facing)


@given(st.floats(5, 90), st.floats(0, 1), st.floats(-360, 360))
def test_a_lone_convex_body_collects_one_on_average(elevation, asymmetry, azimuth):
    z, angle = np.meshgrid((np.arange(2000) + 0.5) / 2000, np.arange(64) * 2 * np.pi / 64)
    flat_part = np.sqrt(1 - z * z)
    directions = np.stack([flat_part * np.cos(angle), flat_part * np.sin(angle), z], axis=-1)
    integral = 2 * math.pi * Acceptance(azimuth, elevation, asymmetry)(directions).mean()
    # Of a direction a facet takes max(n . d, 0), which is 1/4 on average over all orientations n.
    assert integral / 4 == pytest.approx(1.0, rel=1e-3)


def test_the_detector_accepts_nothing_from_below_and_most_from_its_side():
    detector = Acceptance(azimuth=90.0, elevation=30.0, asymmetry=0.5)
    below, towards, away = detector(np.array([[0.0, 0.6, -0.8], [0.0, 1.0, 1e-9], [0.0, -1.0, 1e-9]]))
    assert below == 0
    assert towards == pytest.approx(3 * away)


def test_a_picture_without_noise_is_gain_times_signal():
    assert detect_electrons(flat(0.2), QUIET, seed=1)[0, 0] == 51
    assert detect_electrons(flat(0.2), replace(QUIET, illumination=4.0), seed=1)[0, 0] == 102
    assert detect_electrons(flat(2.0), QUIET, seed=1)[0, 0] == 255


@pytest.mark.parametrize("level", [0.1, 0.4])
def test_shot_noise_has_the_variance_of_counted_electrons(level):
    grey = detect_electrons(flat(level), NOISY, seed=1)
    assert grey.std() == pytest.approx(255 * math.sqrt(level / 200), rel=0.03)


def test_read_noise_and_line_noise_have_the_given_strengths():
    read = detect_electrons(flat(0.5), replace(QUIET, electrons=1e9, read_noise=0.03e9), seed=1)
    assert read.std() == pytest.approx(0.03 * 255, rel=0.03)
    lines = detect_electrons(flat(0.5, 1000), replace(QUIET, line_noise=0.03), seed=1)
    assert (lines == lines[:, :1]).all()
    assert lines[:, 0].std() == pytest.approx(0.03 * 255, rel=0.1)


def test_noise_correlates_along_the_line_only():
    grey = detect_electrons(flat(0.4), replace(NOISY, noise_correlation=1.0), seed=1).astype(float) - 102
    assert (grey[:, 1:] * grey[:, :-1]).mean() > 0.5 * grey.var()
    assert abs((grey[1:] * grey[:-1]).mean()) < 0.05 * grey.var()


def test_shot_noise_rises_in_proportion_to_the_threshold():
    single, double = (compute_beam_electrons(50.0, 1.0, threshold) for threshold in (0.05, 0.1))
    assert single == pytest.approx(50e-12 * 1e-6 / 1.602176634e-19)
    assert single == pytest.approx(4 * double)
    assert compute_beam_electrons(50.0, 1.0, 0.0) == math.inf


def test_equal_seeds_give_equal_noise_and_other_seeds_other_noise():
    first, again, other = (detect_electrons(flat(0.3), NOISY, seed) for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).mean() > 0.5


def test_switching_one_kind_of_noise_off_leaves_the_others():
    both = detect_electrons(flat(0.3), replace(NOISY, line_noise=0.02), seed=5).astype(int)
    shot = detect_electrons(flat(0.3), NOISY, seed=5).astype(int)
    assert np.ptp(both - shot, axis=1).max() <= 1
