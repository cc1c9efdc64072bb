"""Distributions of sizes that stream by: quantiles, moments and laws, compared with numpy and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synth_dataset.statistics.size_law import fit_law
from synth_dataset.statistics.value_sketch import ValueSketch, compute_normal_share

RNG = np.random.default_rng(7)
LAWS = {
    "normal": RNG.normal(50, 12, 20_000).clip(1),
    "log-normal": RNG.lognormal(3, 0.6, 20_000),
    "none": RNG.uniform(1, 100, 20_000),
    "monodisperse": RNG.normal(40, 0.4, 20_000),
}


def sketch(values, weights=None, parts: int = 7) -> ValueSketch:
    made = ValueSketch()
    weights = np.ones(len(values)) if weights is None else weights
    for one, weight in zip(np.array_split(values, parts), np.array_split(weights, parts), strict=True):
        made.add(one, weight)
    return made


@pytest.mark.parametrize("law", LAWS)
def test_quantiles_are_within_a_bin_and_moments_exact(law: str) -> None:
    values = LAWS[law]
    made = sketch(values)
    for share in (0.1, 0.5, 0.9):
        assert made.compute_quantile(share) == pytest.approx(np.quantile(values, share), rel=0.006)
    assert (made.low, made.high) == (values.min(), values.max())
    assert made.moments.mean == pytest.approx(values.mean(), rel=1e-12)
    assert made.moments.deviation == pytest.approx(values.std(), rel=1e-9)


def test_weighted_quantiles_count_each_value_by_its_weight() -> None:
    made = sketch(np.array([10.0, 20.0, 40.0]), np.array([1.0, 1.0, 8.0]))
    assert made.compute_quantile(0.5) == pytest.approx(20, rel=0.004)
    assert made.compute_quantile(0.5, weighted=True) == pytest.approx(40, rel=0.004)


def test_the_histogram_has_every_value() -> None:
    edges = np.linspace(0, LAWS["log-normal"].max() * 1.001, 30)
    counts = sketch(LAWS["log-normal"]).count_between(edges)
    assert counts.sum() == 20_000
    assert np.abs(counts - np.histogram(LAWS["log-normal"], edges)[0]).max() < 200


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    values = LAWS["none"]
    mean, deviation = values.mean(), values.std()
    expected = stats.kstest(values, "norm", (mean, deviation)).statistic
    distance = sketch(values).compute_distance(lambda value: compute_normal_share(value, mean, deviation))
    assert distance == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("law", LAWS)
def test_each_law_is_recognised(law: str) -> None:
    assert fit_law(sketch(LAWS[law])).law == law


def test_equal_sizes_are_monodisperse_and_few_sizes_have_no_law() -> None:
    assert fit_law(sketch(np.full(100, 3.5))) == ("monodisperse", None, None)
    assert fit_law(sketch(np.full(19, 3.5))) == ("none", None, None)
