"""A Gaussian by weights or by boxes: its sum, its width and its flatness."""

import numpy as np
import pytest
from scipy import ndimage

from synth_renderer.techniques.imaging.blur import blur_plane


def spot() -> np.ndarray:
    plane = np.zeros((301, 301), dtype=np.float32)
    plane[150, 150] = 1.0
    return plane


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.5, 2.6, 4.0, 11.3, 30.0])
def test_a_spot_keeps_its_sum_and_gets_the_variance(sigma):
    spread = blur_plane(spot(), sigma).astype(float)
    x = np.arange(301) - 150
    assert spread.sum() == pytest.approx(1.0, abs=1e-4)
    for profile in (spread.sum(axis=0), spread.sum(axis=1)):
        assert np.sqrt((profile * x * x).sum()) == pytest.approx(sigma, rel=0.02)


@pytest.mark.parametrize("sigma", [1.3, 6.0, 20.0])
def test_the_blur_is_close_to_a_gaussian(sigma):
    step = np.zeros((200, 200), dtype=np.float32)
    step[60:140, 50:110] = 1.0
    expected = ndimage.gaussian_filter(step.astype(float), sigma, mode="nearest", truncate=6)
    assert np.abs(blur_plane(step, sigma) - expected).max() < 0.02


@pytest.mark.parametrize("sigma", [0.0, 0.1, 1.0, 200.0])
def test_a_flat_picture_stays_flat_at_its_border(sigma):
    flat = np.full((40, 50), 0.7, dtype=np.float32)
    assert np.abs(blur_plane(flat, sigma) - 0.7).max() < 1e-6


def test_no_blur_changes_nothing():
    plane = np.random.default_rng(2).random((20, 30), dtype=np.float32)
    assert (blur_plane(plane, 0.0) == plane).all()
