"""The order of rendering: all runs once, and the first tenth a fair sample."""

from __future__ import annotations

from collections import Counter
from math import prod

import numpy as np
import pytest

from synth_dataset.attempts.render_order import order_runs
from synth_dataset.documents.attempt_document import AxisDocument

SHAPES = [(1,), (2,), (30,), (200,), (1, 7, 1), (6, 15, 2), (5, 40), (10, 10), (4, 5, 6, 7), (2, 2, 2, 2), (100, 2)]
LARGE = [(200,), (1000,), (6, 15, 2), (5, 40), (40, 5), (15, 10), (12, 25), (7, 7, 7), (4, 5, 6, 7)]


def build_axes(shape: tuple[int, ...]) -> list[AxisDocument]:
    return [AxisDocument(path=f"axis{number}", values=tuple(range(length))) for number, length in enumerate(shape)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_run_is_rendered_once(shape: tuple[int, ...]) -> None:
    assert sorted(order_runs(build_axes(shape))) == list(range(prod(shape)))


@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_a_tenth_of_the_runs_has_each_value_of_an_axis_equally_often(shape: tuple[int, ...]) -> None:
    runs = order_runs(build_axes(shape))
    tenth = runs[: len(runs) // 10]

    for axis, digits in enumerate(np.unravel_index(tenth, shape)):
        counts = Counter(digits.tolist())
        most, fewest = max(counts.values()), min(counts.get(value, 0) for value in range(shape[axis]))
        assert most - fewest <= 1


@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_the_cost_of_a_tenth_tells_that_of_the_whole(shape: tuple[int, ...]) -> None:
    runs = order_runs(build_axes(shape))
    places = [digits / max(1, length - 1) for digits, length in zip(np.unravel_index(runs, shape), shape, strict=True)]
    growing_tenfold = [1 + 9 * place for place in places]
    for cost in (*growing_tenfold, np.sum(growing_tenfold, axis=0), np.prod(growing_tenfold, axis=0)):
        assert cost[: len(runs) // 10].mean() == pytest.approx(cost.mean(), rel=0.2)


def test_zipped_axes_are_one() -> None:
    axes = [*build_axes((6, 5)), AxisDocument(path="with it", values=tuple(range(5)), zipped=True)]

    assert list(order_runs(axes)) == list(order_runs(build_axes((6, 5))))


def test_a_sweep_without_axes_has_one_run() -> None:
    assert list(order_runs([])) == [0]
