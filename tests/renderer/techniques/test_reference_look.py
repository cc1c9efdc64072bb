"""The electron microscope's picture of a heap has the statistics of the reference picture (grey values 0 to 255)."""

import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.stats import skew

REFERENCE = {"mean": 51.5, "deviation": 36.7, "skewness": 0.82, "noise": 7.5, "slope": -3.22, "rim over centre": 0.75}
PINNED = {
    "defocus": 0.3022,
    "noise_threshold": 0.0536,
    "illumination_strength": 1.8193,
    "patch_scale": 48.34,
    "patch_seed": 42,
}


def heap(count, seed, frames=150, fall=0.3):
    """Beads of diameter 5 to 7 dropped into the 120 x 120 box: each falls a little, then overlaps are pushed apart."""
    rng = np.random.default_rng(seed)
    radii = rng.uniform(2.5, 3.5, count)
    places = rng.uniform([-60, -60, 0], [60, 60, 51.2], (count, 3))
    lower = np.stack([radii - 60, radii - 60, radii], axis=1)
    upper = np.stack([60 - radii, 60 - radii, 51.2 - radii], axis=1)
    for _ in range(frames):
        places[:, 2] -= fall
        for _ in range(8):
            places += _push(places, radii)
            places = np.clip(places, lower, upper)
    return np.column_stack([places, 2 * radii])


def _push(places, radii):
    i, j = cKDTree(places).query_pairs(7.0, output_type="ndarray").T
    apart = places[i] - places[j]
    distance = np.linalg.norm(apart, axis=1) + 1e-12
    overlap = np.maximum(radii[i] + radii[j] - distance, 0)
    step = apart * (0.4 * overlap / distance)[:, None]
    moves = np.zeros_like(places)
    np.add.at(moves, i, step)
    np.add.at(moves, j, -step)
    return moves


def noise_sigma(grey):
    """Median size of the diagonal details of one Daubechies-2 wavelet step, as a Gaussian's standard deviation."""
    root = math.sqrt(3)
    detail = np.array([1 - root, root - 3, 3 + root, -1 - root]) / (4 * math.sqrt(2))
    across = ndimage.correlate1d(grey, detail, axis=1)
    both = ndimage.correlate1d(across, detail, axis=0)[::2, ::2]
    return np.median(np.abs(both[both != 0])) / 0.6745


def spectrum_slope(grey):
    """Of log power over log frequency from 0.02 to 0.15 cycles per pixel in the upper left 512 px, Hann window."""
    window = np.hanning(512)
    power = np.abs(np.fft.fft2((grey - grey.mean())[:512, :512] * np.outer(window, window))) ** 2
    steps = np.fft.fftfreq(512, 1 / 512)
    ring = np.hypot(*np.meshgrid(steps, steps)).astype(int).ravel()
    profile = np.bincount(ring, power.ravel()) / np.bincount(ring)
    frequency = np.arange(len(profile)) / 512
    band = (frequency > 0.02) & (frequency < 0.15)
    return np.polyfit(np.log(frequency[band]), np.log(profile[band]), 1)[0]


def rim_over_centre(grey, ids):
    """Median over particles of 200 px or more; depth in a particle is the distance to its edge, 1 at the deepest."""
    ground = grey[ids == 0].mean()
    ratios = []
    for number in range(1, ids.max() + 1):
        own = np.pad(ids == number, 1)
        if own.sum() < 200:
            continue
        rows, columns = (slice(where.min() - 1, where.max() + 2) for where in own.nonzero())
        depth = ndimage.distance_transform_edt(own[rows, columns])
        values = np.pad(grey, 1)[rows, columns]
        share = depth / depth.max()
        centre = values[share >= 0.6].mean() - ground
        if abs(centre) >= 10:
            ratios.append((values[(share > 0) & (share <= 0.25)].mean() - ground) / centre)
    return np.median(ratios)


@pytest.mark.slow
def test_statistics_of_the_reference_scene_are_met_within_15_percent(staged, picture, surface_of):
    scene = staged(heap(600, 42), seed=42, **PINNED)
    grey, ids = picture(scene).astype(float), surface_of(scene).ids
    measured = {
        "mean": grey.mean(),
        "deviation": grey.std(),
        "skewness": skew(grey.ravel()),
        "noise": noise_sigma(grey),
        "slope": spectrum_slope(grey),
        "rim over centre": rim_over_centre(grey, ids),
    }
    assert measured == pytest.approx(REFERENCE, rel=0.15)
