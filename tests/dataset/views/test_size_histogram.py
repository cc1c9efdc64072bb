from __future__ import annotations

import numpy as np
import pytest

from synth_dataset.views.size_histogram import BINS, LEVELS, compute_diameters, summarize_sizes

DIGITS = LEVELS.tobytes().decode()


def test_each_run_has_the_mean_and_the_range_of_its_diameters() -> None:
    sizes = summarize_sizes(np.array([3, 3, 7]), np.array([4.0, 6.0, 5.0]))
    assert {run: size.mean for run, size in sizes.items()} == {3: 5.0, 7: 5.0}
    assert (sizes[3].low, sizes[3].high) == (4.0, 6.0)
    assert sizes[3].bars == "-".join([DIGITS[-1], DIGITS[-1]]).replace("-", DIGITS[0] * (BINS - 2))


def test_a_bar_of_few_particles_is_never_empty() -> None:
    diameters = np.array([1.0] * 1000 + [2.0])
    assert summarize_sizes(np.zeros(1001, np.int64), diameters)[0].bars.strip(DIGITS[0])[-1] == DIGITS[1]


@pytest.mark.parametrize("size", [0.0, 3e-9, 5.0, 1e12])
def test_particles_of_one_size_are_in_the_middle(size: float) -> None:
    found = summarize_sizes(np.zeros(7, np.int64), np.full(7, size))[0]
    assert found.low < size < found.high
    assert found.bars.strip(DIGITS[0]) == DIGITS[-1]
    assert found.bars.index(DIGITS[-1]) in (BINS // 2 - 1, BINS // 2)


def test_unknown_diameters_are_left_out() -> None:
    sizes = summarize_sizes(np.array([0, 1, 1]), np.array([np.nan, 2.0, np.nan]))
    assert {run: size.mean for run, size in sizes.items()} == {1: 2.0}
    assert summarize_sizes(np.zeros(0, np.int64), np.zeros(0)) == {}


def test_diameters_are_those_of_spheres_of_the_volume() -> None:
    assert compute_diameters(np.array([np.pi / 6, 8 * np.pi / 6])) == pytest.approx([1, 2])
