"""Every variability draws what it says, from its own stream, rounded to float32."""

import colorsys
import math
from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from synth_api.recipe.variabilities import (
    Choice,
    Constant,
    ConstantHsvColorAsRgb,
    LogNormal,
    LogNormal3dHomogeneous,
    LogUniform,
    Normal,
    RandomHsvColorAsRgb,
    Sometimes,
    UniformDistribution3dHomogeneous,
    UniformDistributionInt,
    UniformDistributionNdHomogeneous,
    UniformlyRandomLocationInMeasurementVolume,
    Variability,
    Weibull,
)
from synth_renderer.model.errors import DrawError
from synth_renderer.model.staged_scene import Box
from synth_renderer.randomness.streams import Stream
from synth_renderer.randomness.variabilities import Scale, choose_index, draw_parameters, draw_value

VOLUME = Box((-60.0, -60.0, 0.0), (60.0, 60.0, 100.0))
STEP = "$builtins.TriggerFeatureUpdate:Any:AllParticles:1"
ALMOST_NEVER = 1e-6


def draw_values(variability: Variability, count: int, seed: int = 42) -> list:
    """One value for each of `count` beads, as a step does it."""
    return [draw_value(variability, Stream(seed, STEP, f"sphereBead.{i}", "any"), Scale(VOLUME)) for i in range(count)]


def assert_distributed(values: np.ndarray, inverse_cdf: Callable, bins: int = 50) -> None:
    edges = np.asarray(inverse_cdf(np.linspace(0, 1, bins + 1)))
    edges[[0, -1]] = -np.inf, np.inf
    counts = np.histogram(values, edges)[0]
    assert stats.chisquare(counts).pvalue > ALMOST_NEVER


def assert_float32(values: np.ndarray) -> None:
    assert (values == np.float32(values).astype(float)).all()


@pytest.mark.parametrize("value", [1, True, "text", 0.5, (1.0, 2.0, 3.0)])
def test_a_constant_is_itself(value: object) -> None:
    (result,) = draw_values(Constant(value=value), 1)
    assert result == value
    assert type(result) is type(value)


def test_weibull_is_distributed_as_scipy_says() -> None:
    values = np.array(draw_values(Weibull(characteristic=7.0, shape=2.5), 20_000))
    assert_distributed(values, stats.weibull_min(2.5, scale=7.0).ppf)
    assert_float32(values)
    with pytest.raises(
        DrawError, match=r"a Weibull distribution of characteristic -1\.0 and shape 2\.0 does not exist"
    ):
        draw_values(Weibull(characteristic=-1.0, shape=2.0), 1)


@pytest.mark.parametrize(("shape", "lowest"), [(8.0, None), (4.0, 0.5), (3.0, 0.7), (2.0, 1.0), (0.8, 2.0), (3.0, 9.0)])
def test_mass_of_a_weibull_by_mass_is_distributed_as_scipy_says(shape: float, lowest: float | None) -> None:
    by_mass = Weibull(characteristic=7.0, shape=shape, min=lowest, weighting="mass")
    values = np.sort(draw_values(by_mass, 40_000))
    expected = stats.weibull_min(shape, scale=7.0)
    below = expected.cdf(lowest or 0.0)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        measured = (values[values < expected.ppf(below + share * (1 - below))] ** 3).sum() / (values**3).sum()
        assert measured == pytest.approx(share, abs=0.03)
    assert values[0] > (lowest or 0.0)
    assert_float32(values)


def test_number_of_a_weibull_by_mass_is_a_power_of_a_gamma() -> None:
    values = np.array(draw_values(Weibull(characteristic=7.0, shape=5.0, weighting="mass"), 20_000))
    assert_distributed((values / 7.0) ** 5.0, stats.gamma(1 - 3 / 5).ppf)


def test_a_weibull_by_mass_needs_a_smallest_size_up_to_shape_3() -> None:
    with pytest.raises(
        ValidationError,
        match="by mass with a shape of 3, almost all particles would be endlessly small; give a min above 0, "
        "or a shape above 3",
    ):
        Weibull(characteristic=7.0, shape=3.0, weighting="mass")
    drawn = Weibull(characteristic=7.0, shape=LogUniform(min=2.0, max=2.5), weighting="mass")
    once = draw_parameters(drawn, lambda part: Stream(1, STEP, "", part), Scale(VOLUME))
    with pytest.raises(DrawError, match=r"by mass has endlessly many small particles; give a min above 0"):
        draw_values(once, 1)


@pytest.mark.parametrize(("shape", "lowest"), [(200.0, 1e3), (1.0, 1e-200)])
def test_a_weibull_beyond_float64_is_an_error(shape: float, lowest: float) -> None:
    with pytest.raises(DrawError, match=r"shape \S+ leads to numbers beyond float64 between \S+ and None; give bounds"):
        draw_values(Weibull(characteristic=1.0, shape=shape, min=lowest, weighting="mass"), 1)


def test_half_of_the_mass_is_below_the_median_of_a_log_normal_by_mass() -> None:
    by_mass = LogNormal(median=7.0, geometric_standard_deviation=1.3, weighting="mass")
    values = np.array(draw_values(by_mass, 20_000))
    assert (values[values < 7] ** 3).sum() == pytest.approx((values**3).sum() / 2, rel=0.02)


def test_a_constant_is_rounded_to_float32() -> None:
    assert draw_values(Constant(value=0.1), 1) == [float(np.float32(0.1))]


def test_uniform_3d_gives_three_equal_numbers_over_its_width() -> None:
    values = np.array(draw_values(UniformDistribution3dHomogeneous(location=5.0, scale=2.0), 5_000))
    assert values.shape == (5_000, 3)
    assert (values == values[:, :1]).all()
    assert values.min() >= 5
    assert values.max() <= 7
    assert_float32(values)
    assert_distributed(values[:, 0], stats.uniform(5, 2).ppf)


def test_uniform_nd_gives_a_number_or_equal_components() -> None:
    numbers = np.array(
        draw_values(UniformDistributionNdHomogeneous(location=25.0, scale=75.0, num_dimensions=1), 5_000)
    )
    assert_distributed(numbers, stats.uniform(25, 75).ppf)
    assert_float32(numbers)
    four = draw_values(UniformDistributionNdHomogeneous(location=25.0, scale=75.0, num_dimensions=4), 3)
    assert four == [(number,) * 4 for number in numbers[:3]]


def test_scale_zero_is_the_location() -> None:
    assert draw_values(UniformDistribution3dHomogeneous(location=3.0, scale=0.0), 1) == [(3.0, 3.0, 3.0)]


def test_log_normal_has_its_geometric_mean_and_deviation() -> None:
    variability = LogNormal3dHomogeneous(geometric_mean=100.0, geometric_standard_deviation=1.3)
    values = np.array(draw_values(variability, 5_000))
    assert (values == values[:, :1]).all()
    assert_float32(values)
    assert_distributed(values[:, 0], stats.lognorm(math.log(1.3), scale=100).ppf)


def test_log_normal_is_truncated_by_drawing_again() -> None:
    variability = LogNormal3dHomogeneous(geometric_mean=100.0, geometric_standard_deviation=1.3, min=90.0, max=110.0)
    values = np.array(draw_values(variability, 5_000))[:, 0]
    assert values.min() > 90
    assert values.max() < 110
    whole = stats.lognorm(math.log(1.3), scale=100)
    low, high = whole.cdf([90, 110])
    assert_distributed(values, lambda p: whole.ppf(low + p * (high - low)))


def test_bounds_that_are_never_met_end_in_an_error_instead_of_a_loop() -> None:
    variability = LogNormal3dHomogeneous(geometric_mean=1.0, geometric_standard_deviation=1.01, min=50.0, max=51.0)
    with pytest.raises(DrawError, match=r"met none of 100000 draws between 50\.0 and 51\.0; widen the bounds"):
        draw_values(variability, 1)


def test_a_value_beyond_float32_is_an_error() -> None:
    with pytest.raises(DrawError, match="beyond float32"):
        draw_values(UniformDistribution3dHomogeneous(location=1e39, scale=0.0), 1)


def test_locations_fill_the_measurement_volume() -> None:
    values = np.array(draw_values(UniformlyRandomLocationInMeasurementVolume(), 5_000))
    assert_float32(values)
    for axis in range(3):
        low, high = VOLUME.lower[axis], VOLUME.upper[axis]
        assert_distributed(values[:, axis], stats.uniform(low, high - low).ppf)
    assert abs(np.corrcoef(values.T)[np.triu_indices(3, 1)]).max() < 0.06


def test_hsv_is_written_as_rgb_with_alpha() -> None:
    variability = ConstantHsvColorAsRgb(hue=0.6, saturation=0.3, value=0.9, alpha=0.5)
    assert draw_values(variability, 1) == [
        tuple(float(np.float32(part)) for part in (*colorsys.hsv_to_rgb(0.6, 0.3, 0.9), 0.5))
    ]


def test_random_hsv_is_uniform_within_its_bounds() -> None:
    variability = RandomHsvColorAsRgb(h_min=0.2, h_max=0.3, s_min=0.4, s_max=0.8, v_min=0.5, v_max=1.0)
    colors = np.array(draw_values(variability, 3_000))
    hsv = np.array([colorsys.rgb_to_hsv(*color[:3]) for color in colors])
    for component, (low, width) in enumerate(((0.2, 0.1), (0.4, 0.4), (0.5, 0.5))):
        assert_distributed(hsv[:, component], stats.uniform(low, width).ppf, bins=20)
    assert (colors[:, 3] == 1).all()


def test_uniform_int_covers_location_to_location_plus_scale() -> None:
    values = draw_values(UniformDistributionInt(location=-3, scale=7), 5_000)
    assert all(type(value) is int for value in values)
    assert set(values) == set(range(-3, 4))
    assert stats.chisquare(np.bincount(np.array(values) + 3)).pvalue > ALMOST_NEVER


def test_bead_7_keeps_its_diameter_when_the_number_changes() -> None:
    diameter = UniformDistribution3dHomogeneous(location=5.0, scale=2.0)
    assert draw_values(diameter, 8)[7] == draw_values(diameter, 600)[7]
    assert draw_values(diameter, 8)[7] != draw_values(diameter, 8, seed=43)[7]


def test_log_uniform_is_uniform_in_its_logarithm() -> None:
    values = np.array(draw_values(LogUniform(min=0.1, max=10.0), 5_000))
    assert_float32(values)
    assert_distributed(np.log(values), stats.uniform(math.log(0.1), math.log(100)).ppf)


def test_normal_has_its_mean_and_deviation_and_keeps_to_its_bounds() -> None:
    values = np.array(draw_values(Normal(mean=3.0, standard_deviation=2.0), 5_000))
    assert_distributed(values, stats.norm(3, 2).ppf)
    bound = np.array(draw_values(Normal(mean=3.0, standard_deviation=2.0, min=2.0, max=5.0), 5_000))
    assert_distributed(bound, stats.truncnorm(-0.5, 1, 3, 2).ppf)


def test_log_normal_has_its_median_and_geometric_spread() -> None:
    variability = LogNormal(median=7.0, geometric_standard_deviation=1.4, num_dimensions=3)
    values = np.array(draw_values(variability, 5_000))
    assert (values == values[:, :1]).all()
    assert_distributed(values[:, 0], stats.lognorm(math.log(1.4), scale=7).ppf)


def test_lengths_in_pixels_are_that_many_pixels_wide() -> None:
    variability = LogNormal(median=40.0, geometric_standard_deviation=1.0, unit="px")
    assert draw_value(variability, Stream(1, STEP, "bead", "any"), Scale(VOLUME, 0.25)) == 10
    with pytest.raises(
        DrawError, match="a length in pixels has no meaning here: the view is in perspective; give scene"
    ):
        draw_value(variability, Stream(1, STEP, "bead", "any"), Scale(VOLUME))


def test_choice_takes_values_as_often_as_they_weigh() -> None:
    values = draw_values(Choice(values=("a", "b", "c"), weights=(1.0, 0.0, 3.0)), 4_000)
    counts = [values.count(value) for value in "abc"]
    assert counts[1] == 0
    assert stats.chisquare([counts[0], counts[2]], [1_000, 3_000]).pvalue > ALMOST_NEVER
    equal = draw_values(Choice(values=(1, 2)), 4_000)
    assert stats.binomtest(equal.count(1), 4_000).pvalue > ALMOST_NEVER


@pytest.mark.parametrize(("u", "index"), [(0.0, 1), (0.2499, 1), (0.25, 3), (1 - 2**-53, 3)])
def test_weights_of_0_are_never_taken(u: float, index: int) -> None:
    assert choose_index((0.0, 1.0, 0.0, 3.0, 0.0), u) == index


def test_sometimes_draws_in_its_share_and_is_constant_else() -> None:
    values = np.array(draw_values(Sometimes(share=0.3, variability=LogUniform(min=1.0, max=2.0), otherwise=0.0), 4_000))
    assert stats.binomtest(int((values > 0).sum()), 4_000, 0.3).pvalue > ALMOST_NEVER
    assert_distributed(np.log(values[values > 0]), stats.uniform(0, math.log(2)).ppf, bins=20)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_0_or_1_is_never_or_always(share: float) -> None:
    values = draw_values(Sometimes(share=share, variability=Constant(value=5.0), otherwise=0.0), 200)
    assert set(values) == {5.0 * share}


def test_drawn_parameters_come_from_streams_of_their_own() -> None:
    variability = LogNormal(median=LogUniform(min=1.0, max=100.0), geometric_standard_deviation=1.0)
    asked = []

    def stream_of(parameter: str) -> Stream:
        asked.append(parameter)
        return Stream(1, STEP, "", f"any.{parameter}")

    plain = draw_parameters(variability, stream_of, Scale(VOLUME))
    assert asked == ["median"]
    assert plain.median == draw_value(variability.median, Stream(1, STEP, "", "any.median"), Scale(VOLUME))
    assert draw_parameters(plain, stream_of, Scale(VOLUME)) is plain
    inside = draw_parameters(Sometimes(share=1.0, variability=variability, otherwise=0.0), stream_of, Scale(VOLUME))
    assert inside.variability == plain


def test_a_drawn_median_that_no_log_normal_has_is_an_error() -> None:
    with pytest.raises(DrawError, match=r"a log-normal of median -1\.0 .* does not exist; both must be positive"):
        draw_values(LogNormal(median=-1.0, geometric_standard_deviation=1.2), 1)


def test_new_draws_are_published(vectors: dict[str, list]) -> None:
    kinds = {
        "LogUniform 0.1 10": LogUniform(min=0.1, max=10.0),
        "Normal 3 2": Normal(mean=3.0, standard_deviation=2.0),
        "LogNormal 7 1.4": LogNormal(median=7.0, geometric_standard_deviation=1.4),
        "Choice a b c 1 2 3": Choice(values=("a", "b", "c"), weights=(1.0, 2.0, 3.0)),
        "Sometimes 0.5 LogUniform 1 2 else 0": Sometimes(
            share=0.5, variability=LogUniform(min=1.0, max=2.0), otherwise=0.0
        ),
    }
    for name, kind in kinds.items():
        assert draw_values(kind, 3) == vectors[name], name
