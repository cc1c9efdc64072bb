"""A picture of a GPU is that of the CPU but for noise: other brightness, contrast or edges are found."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from servers import ROOT

sys.path.insert(0, str(ROOT / "bench"))

from pictures import compare_pictures

SIZE = 256
RANDOM = np.random.default_rng(7)
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]
DISKS = 80.0 + 100 * (np.hypot(ROWS % 64 - 32, COLUMNS % 64 - 32) < 20)


def expose(scene: np.ndarray, noise: float = 4.0) -> np.ndarray:
    """Return an 8-bit picture with noise of its own."""
    return np.clip(scene + RANDOM.normal(0, noise, scene.shape), 0, 255).round().astype(np.uint8)


def test_a_picture_is_itself() -> None:
    found = compare_pictures(picture := expose(DISKS), picture)
    assert (found.mean, found.deviation, found.correlation, found.differing) == (0, 0, 0, 0)
    assert found.problems == []


def test_other_noise_is_no_difference() -> None:
    found = compare_pictures(expose(DISKS), expose(DISKS))
    assert found.differing > 0.5
    assert found.problems == []


@pytest.mark.parametrize(
    ("scene", "problem"),
    [
        (DISKS * 1.02, "mean"),
        ((DISKS - 120) * 1.03 + 120, "standard deviation"),
        (np.roll(DISKS, 1, axis=1), "structure"),
        (DISKS + 3 * np.sin(COLUMNS / 20), "structure"),
    ],
    ids=["brighter", "more contrast", "moved", "shaded"],
)
def test_another_picture_is_found(scene: np.ndarray, problem: str) -> None:
    assert problem in " ".join(compare_pictures(expose(scene), expose(DISKS)).problems)
