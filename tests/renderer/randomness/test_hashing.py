"""Hashed textures and noise: known words, unit rms, continuity, independence of the picture's size."""

import numpy as np
import pytest

from synth_renderer.randomness.hashing import (
    PLANE_NOISE_RMS,
    SPACE_GRADIENT_RMS,
    build_fractal,
    draw_normals,
    draw_word,
    plane_noise,
    space_gradient,
)

KEY = np.uint64(0x0123456789ABCDEF)


def splitmix(key: int, index: int) -> int:
    """Reference implementation in Python integers."""
    mask = 2**64 - 1
    x = key + index * 0x9E3779B97F4A7C15 & mask
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ x >> 27) * 0x94D049BB133111EB & mask
    return x ^ x >> 31


@pytest.mark.parametrize("index", [0, 1, 2, 2**40 + 7, 2**64 - 1])
def test_words_are_those_of_splitmix(index):
    assert int(draw_word(KEY, np.uint64(index))) == splitmix(int(KEY), index)


def test_the_first_word_of_the_published_generator():
    """SplitMix64 seeded with 0 gives this first (its state is then one golden step)."""
    assert int(draw_word(np.uint64(0), np.uint64(1))) == 0xE220A8397B1DCDAF


def test_normal_numbers_have_mean_0_and_variance_1():
    drawn = draw_normals(KEY, 200_001)
    assert len(drawn) == 200_001
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.var() - 1) < 0.02
    assert abs((drawn[1:] * drawn[:-1]).mean()) < 0.01
    assert (draw_normals(KEY, 1000) == drawn[:1000]).all()


def test_a_field_is_continuous_with_the_stated_rms():
    places = np.random.default_rng(1).uniform(-500, 500, (20_000, 2))
    values = np.array([plane_noise(KEY, x, y) for x, y in places])
    assert np.sqrt((values**2).mean()) == pytest.approx(PLANE_NOISE_RMS, rel=0.03)
    steps = np.array([plane_noise(KEY, x + 1e-4, y) for x, y in places]) - values
    assert np.abs(steps).max() < 5e-4


def test_a_slope_has_no_curl():
    """It is a gradient, so its mixed derivatives are equal."""
    h = 1e-3
    for x, y in np.random.default_rng(2).uniform(0, 9, (50, 2)):
        a = space_gradient(KEY, x, y, 0.3)
        curl = (space_gradient(KEY, x + h, y, 0.3)[1] - a[1] - space_gradient(KEY, x, y + h, 0.3)[0] + a[0]) / h
        assert abs(curl) < 0.1


def test_slopes_in_a_plane_have_the_stated_rms():
    places = np.random.default_rng(3).uniform(-500, 500, (20_000, 3))
    inside = np.array([space_gradient(KEY, *place)[:2] for place in places])
    assert np.sqrt((inside**2).sum(axis=1).mean()) == pytest.approx(SPACE_GRADIENT_RMS, rel=0.03)


def test_a_fractal_field_has_rms_1_and_does_not_depend_on_the_size_of_the_picture():
    large, small = build_fractal(KEY, 256, 256, 16.0, 6, 0.6), build_fractal(KEY, 64, 100, 16.0, 6, 0.6)
    assert large.std() == pytest.approx(1.0, abs=0.1)
    assert (large[:64, :100] == small).all()
