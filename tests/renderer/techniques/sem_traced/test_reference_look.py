"""The electron microscope's picture of a heap has the statistics of the reference picture (grey values 0 to 255)."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import skew

from synth_api.composition.compose import compose_recipe, resolve
from synth_api.composition.source import read_recipe
from synth_api.recipe.parsing import parse_recipe
from synth_renderer.engine import render

REFERENCE = {"mean": 51.5, "deviation": 36.7, "skewness": 0.82, "noise": 7.5, "slope": -3.22, "rim over centre": 0.75}
PINNED = {
    "Defocus": 0.3022,
    "NoiseThreshold": 0.0536,
    "IlluminationStrength": 1.8193,
    "BackgroundPatchScale": 48.34,
    "BackgroundPatchSeed": 42,
}
RECIPE = Path(__file__).parents[4] / "recipes" / "spheres_sem.yaml"


def pinned_recipe(seed):
    """The recipe of the reference picture with the reference's own draws as constants; the real image and ids only."""
    tree = compose_recipe(read_recipe(RECIPE), [f"initial_runtime_state.seed={seed}"])
    for name, value in PINNED.items():
        constant = {"_target_": "$builtins.Constant", "value": value}
        tree["process_conditions"]["feature_variabilities"][name]["variability"] = constant
    steps = tree["synth_chain"]["rendering_steps"]
    tree["synth_chain"]["rendering_steps"] = [s for s in steps if s.get("rendering_mode") in ("real", "categorical")]
    return parse_recipe(resolve(tree))


def noise_sigma(grey):
    """Return the noise: median diagonal detail of one Daubechies-2 wavelet step as a standard deviation."""
    root = math.sqrt(3)
    detail = np.array([1 - root, root - 3, 3 + root, -1 - root]) / (4 * math.sqrt(2))
    across = ndimage.correlate1d(grey, detail, axis=1)
    both = ndimage.correlate1d(across, detail, axis=0)[::2, ::2]
    return np.median(np.abs(both[both != 0])) / 0.6745


def spectrum_slope(grey):
    """Return the slope of log power over log frequency, 0.02 to 0.15 cycles per px, upper left 512 px, Hann window."""
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
def test_statistics_of_the_reference_scene_are_met_within_15_percent(tmp_path):
    render(pinned_recipe(42), tmp_path, "cpu")
    grey = cv2.imread(str(tmp_path / "real.png"), cv2.IMREAD_GRAYSCALE).astype(float)
    ids = cv2.imread(str(tmp_path / "instances.png"), cv2.IMREAD_UNCHANGED).astype(int)
    measured = {
        "mean": grey.mean(),
        "deviation": grey.std(),
        "skewness": skew(grey.ravel()),
        "noise": noise_sigma(grey),
        "slope": spectrum_slope(grey),
        "rim over centre": rim_over_centre(grey, ids),
    }
    assert measured == pytest.approx(REFERENCE, rel=0.15)
