"""Grey values and noise of pictures, and the choice of the pictures that are read."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth_dataset.statistics.picture_values import choose_runs, estimate_noise, measure_picture
from synth_dataset.statistics.run_table import read_runs


def draw_discs(size: int = 256) -> np.ndarray:
    """Bright discs on a slope: edges everywhere."""
    y, x = np.mgrid[:size, :size]
    return np.where(np.hypot(x % 32 - 16, y % 32 - 16) < 10, 200.0, 60.0) + x / size * 20


def round_picture(values: np.ndarray) -> np.ndarray:
    return values.round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("deviation", [1.0, 3.0, 10.0])
def test_noise_is_found_among_edges(deviation: float) -> None:
    noise = np.random.default_rng(1).normal(0, deviation, (256, 256))
    assert estimate_noise(round_picture(100 + noise)) == pytest.approx(deviation, rel=0.06)
    assert estimate_noise(round_picture(draw_discs() + noise)) == pytest.approx(deviation, rel=0.2)


def test_a_picture_without_noise_has_none() -> None:
    assert estimate_noise(np.full((64, 64), 90, np.uint8)) == 0
    assert estimate_noise(np.full((2, 64), 90, np.uint8)) == 0


def test_grey_values_of_colours_are_those_of_their_luminance() -> None:
    grey = round_picture(draw_discs())
    assert measure_picture(np.dstack([grey] * 3)) == pytest.approx(measure_picture(grey))
    assert measure_picture(grey)[:2] == pytest.approx((grey.mean(), grey.std()))


def test_the_sample_is_shared_by_the_values_and_always_the_same() -> None:
    table = {
        "run": range(60), "key": [f"{(7 * run) % 60:08x}{0:056x}" for run in range(60)], "number": [0] * 50 + [1] * 10,
        "particles": [0] * 60, "visible": [0] * 60, "seconds": [1.0] * 60, "width": [8] * 60, "height": [8] * 60,
        "pixel_size": [0.1] * 60, "label_digest": ["0" * 64] * 60,
    }  # fmt: skip
    stream = io.BytesIO()
    pq.write_table(pa.table({name: list(values) for name, values in table.items()}), stream)
    index = pq.ParquetFile(stream)
    places = choose_runs(index, read_runs(index, by="number"), 8)
    assert [(places < 50).sum(), (places >= 50).sum()] == [4, 4]
    keys = [int(table["key"][place], 16) for place in places if place < 50]
    assert sorted(keys) == sorted(int(key, 16) for key in table["key"][:50])[:4]
    assert len(choose_runs(index, read_runs(index), 1000)) == 60
    assert not len(choose_runs(index, read_runs(index), 0))
