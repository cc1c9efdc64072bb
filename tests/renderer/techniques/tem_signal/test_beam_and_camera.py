"""Illumination and camera against their formulas; 0 is off."""

import numpy as np
import pytest

from synth_renderer.techniques.tem_signal.beam import shade_beam
from synth_renderer.techniques.tem_signal.electron_camera import (
    CAMERAS,
    add_read_noise,
    bend_exposure,
    record_electrons,
    spread_light,
    vary_gain,
)

KEY = np.uint64(4711)
FLAT = np.full((400, 400), 0.25, dtype=np.float32)


def key_of(feature: str) -> np.uint64:
    return np.uint64(sum(feature.encode()))


def test_a_uniform_beam_changes_nothing():
    assert shade_beam(FLAT, 0.0, 0.0, 0.3, 20.0) is FLAT


def test_the_corners_lose_the_falloff_and_the_middle_nothing():
    beam = shade_beam(np.ones((301, 301), dtype=np.float32), 0.4)
    assert beam[150, 150] == pytest.approx(1.0)
    assert beam[0, 0] == pytest.approx(0.6, abs=0.005)
    assert beam[150, 0] == pytest.approx(0.6**0.5, abs=0.005)


@pytest.mark.parametrize(("azimuth", "brightest"), [(0.0, (100, 160)), (90.0, (40, 100)), (180.0, (100, 40))])
def test_the_middle_of_the_beam_lies_towards_the_azimuth(azimuth, brightest):
    beam = shade_beam(np.ones((201, 201), dtype=np.float32), 0.5, 0.0, 60 / 201, azimuth)
    assert np.unravel_index(np.argmax(beam), beam.shape) == brightest


def test_the_aperture_ends_the_beam_at_its_radius():
    beam = shade_beam(np.ones((400, 400), dtype=np.float32), 0.0, 0.25)
    assert (beam > 0.5).sum() == pytest.approx(np.pi * 100**2, rel=0.01)
    assert beam[0, 0] == 0
    assert beam[200, 200] == 1


def test_no_camera_changes_nothing():
    assert record_electrons(FLAT, key_of, "none", 0.0) is FLAT


def test_electrons_vary_as_poisson_says():
    noise = record_electrons(FLAT, key_of, "none", 50.0) - FLAT
    assert noise.mean() == pytest.approx(0.0, abs=1e-3)
    assert noise.var() == pytest.approx(0.25 / 50.0, rel=0.02)
    assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.01


def measure_neighbours(kind: str) -> float:
    """Correlation of the noise of two neighbours."""
    noise = record_electrons(FLAT, key_of, kind, 100.0)
    noise = noise - noise.mean()
    return float(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1])


def test_a_scintillator_blurs_the_noise_more_than_film_and_film_more_than_a_direct_detector():
    assert measure_neighbours("ccd") > measure_neighbours("film") + 0.05 > measure_neighbours("direct") + 0.2


@pytest.mark.parametrize("kind", CAMERAS)
def test_cameras_keep_black_and_full_white(kind):
    for level in (0.0, 1.0):
        flat = np.full((20, 20), level, dtype=np.float32)
        assert np.abs(record_electrons(flat, key_of, kind, 0.0) - level).max() < 1e-5


def test_light_spreads_with_a_tail_and_keeps_its_sum():
    spot = np.zeros((101, 101), dtype=np.float32)
    spot[50, 50] = 1.0
    sharp, wide = spread_light(spot, 0.6, 0.0, 0.0), spread_light(spot, 0.6, 0.35, 2.2)
    assert wide.sum() == pytest.approx(1.0, abs=1e-4)
    distance = np.hypot(*(np.mgrid[:101, :101] - 50))
    assert sharp[distance > 3].sum() < 1e-4
    assert 0.05 < wide[distance > 3].sum() < 0.35


def test_the_gain_varies_in_proportion_to_the_exposure():
    assert vary_gain(FLAT, KEY, 0.0) is FLAT
    assert vary_gain(FLAT, KEY, 0.02).std() == pytest.approx(0.25 * 0.02, rel=0.02)


def test_the_noise_of_reading_does_not_depend_on_the_exposure():
    assert add_read_noise(FLAT, KEY, 0.0, 100.0) is FLAT
    assert add_read_noise(FLAT, KEY, 3.0, 0.0) is FLAT
    for flat in (FLAT, 4 * FLAT):
        assert (add_read_noise(flat, KEY, 3.0, 100.0) - flat).std() == pytest.approx(0.03, rel=0.02)


def test_an_emulsion_saturates():
    exposure = np.linspace(0, 1.2, 25, dtype=np.float32)[None]
    assert bend_exposure(exposure, 0.0) is exposure
    np.testing.assert_allclose(bend_exposure(exposure, 1.3), np.expm1(-1.3 * exposure) / np.expm1(-1.3), atol=1e-6)
