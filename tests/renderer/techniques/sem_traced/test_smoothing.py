"""Smoothing stays inside outlines."""

import numpy as np
import pytest

from synth_renderer.techniques.sem_traced.smoothing import smooth_picture, smooth_within_bodies

IDS = np.repeat(np.array([0, 1], dtype=np.uint16), 20)[None].repeat(40, axis=0)


def test_means_do_not_cross_outlines():
    picture = IDS.astype(np.float32)
    assert (smooth_within_bodies(picture, IDS, 2.0) == picture).all()


def test_smoothing_reduces_noise_by_the_width_of_the_mean():
    picture = np.random.default_rng(1).normal(1.0, 0.1, (200, 200)).astype(np.float32)
    smooth = smooth_within_bodies(picture, np.zeros((200, 200), np.uint16), 2.0)
    assert smooth.mean() == pytest.approx(1.0, abs=1e-3)
    assert smooth.std() < 0.02


def test_without_width_nothing_changes():
    picture = np.random.default_rng(1).normal(1.0, 0.1, (40, 40)).astype(np.float32)
    assert (smooth_picture(picture, IDS, 0.0) == picture).all()


def test_a_soft_outline_stays_soft():
    edge = np.clip((np.arange(40) - 17.5) / 5, 0, 1).astype(np.float32)[None].repeat(40, axis=0)
    smoothed = smooth_picture(edge, IDS, 1.8)
    assert np.abs(smoothed - edge).max() < 0.1
    assert np.abs(np.diff(smoothed, axis=1)).max() < 0.3
