"""Bounds that hardly any draw meets are refused before a run."""

from __future__ import annotations

from typing import Any

import pytest

from synth_api.errors import InputError
from synth_api.prototypes.feature import Feature, FeatureType
from synth_api.recipe.feature_values import convert_variability
from synth_api.recipe.variabilities import Choice, LogNormal, LogUniform, Normal, UniformDistributionNdHomogeneous

NUMBER = Feature(FeatureType.FLOAT, 1.0, "a number")
ASPECT: dict[str, Any] = {
    "median": LogUniform(min=12, max=70),
    "geometric_standard_deviation": LogUniform(min=1.05, max=1.5),
}
SIZE: dict[str, Any] = {"mean": 5.0, "standard_deviation": UniformDistributionNdHomogeneous(location=0.5, scale=0.5)}


@pytest.mark.parametrize(
    ("variability", "problem"),
    [
        (
            LogNormal(**ASPECT, min=900),
            "min: with this median and geometric_standard_deviation, hardly any draw is above 900; give a smaller min,"
            " or leave it out",
        ),
        (
            LogNormal(**ASPECT, max=1),
            "max: with this median and geometric_standard_deviation, hardly any draw is below 1;",
        ),
        (Normal(**SIZE, min=12), "min: with this mean and standard_deviation, hardly any draw is above 12; give a"),
        (
            Normal(**SIZE, max=-2),
            "max: with this mean and standard_deviation, hardly any draw is below -2; give a larger",
        ),
        (Normal(mean=1.0, standard_deviation=0.0, min=2), "hardly any draw is above 2"),
        (Normal(mean=Choice(values=(1, 2)), standard_deviation=0.1, min=3), "hardly any draw is above 3"),
    ],
)
def test_a_bound_out_of_reach_is_refused(variability: Normal | LogNormal, problem: str) -> None:
    with pytest.raises(InputError) as error:
        convert_variability(variability, NUMBER)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    "variability",
    [
        LogNormal(**ASPECT, min=300, max=900),
        LogNormal(**ASPECT, min=-1),
        LogNormal(**ASPECT, weighting="mass", min=900),
        Normal(**SIZE, min=10, max=12),
        Normal(mean=LogUniform(min=1, max=2, unit="px"), standard_deviation=0.1, min=900),
        Normal(mean=1.0, standard_deviation=LogUniform(min=1, max=2, unit="px"), min=900),
    ],
)
def test_bounds_within_reach_are_valid(variability: Normal | LogNormal) -> None:
    assert convert_variability(variability, NUMBER)
