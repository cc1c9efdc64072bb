"""Conversion of values and variabilities to a feature's type, and checks of its dimension and bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError, suggest_name
from synth_api.problems import quote_value
from synth_api.prototypes.feature import Feature, FeatureType
from synth_api.recipe.node import Builtin
from synth_api.recipe.unreachable_bounds import check_reach
from synth_api.recipe.variabilities import (
    Choice,
    Constant,
    ConstantHsvColorAsRgb,
    LogNormal,
    LogNormal3dHomogeneous,
    LogUniform,
    Normal,
    NumberVariability,
    RandomHsvColorAsRgb,
    Sometimes,
    UniformDistribution3dHomogeneous,
    UniformDistributionInt,
    UniformDistributionNdHomogeneous,
    UniformlyRandomLocationInMeasurementVolume,
    Weibull,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_api.prototypes.feature import FeatureValue
    from synth_api.recipe.variabilities import Variability

_SIZES: Final = {FeatureType.VECTOR: 3, FeatureType.COLOR: 4}
_TYPE_NAMES: Final = {
    FeatureType.FLOAT: "a number",
    FeatureType.INT: "a whole number",
    FeatureType.BOOL: "true or false",
    FeatureType.STRING: "a string",
    FeatureType.VECTOR: "a list of 3 numbers",
    FeatureType.COLOR: "a list of 4 numbers, red, green, blue and alpha",
}
_TYPES_BY_SIZE: Final = {1: (FeatureType.FLOAT,), 3: (FeatureType.VECTOR,), 4: (FeatureType.COLOR,)}


def convert_value(value: Any, feature: Feature) -> FeatureValue:
    """Return the plain value in the feature's own type.

    Raises InputError, its path `value`, if it has another type or is out of bounds.
    """
    result = _convert_type(value, feature.type)
    if result is None:
        raise InputError("value", f"the value must be {_TYPE_NAMES[feature.type]}, not {quote_value(value)}")
    if feature.choices and result not in feature.choices:
        raise InputError(
            "value", f"there is no {quote_value(result)} here; {suggest_name(str(result), feature.choices)}"
        )
    for component in result if isinstance(result, tuple) else (result,):
        if isinstance(component, int | float) and not isinstance(component, bool):
            _check_bounds("value", component, feature)
    return result


def _convert_type(value: Any, kind: FeatureType) -> FeatureValue:
    if kind is FeatureType.STRING:
        return value if isinstance(value, str) else None
    if kind is FeatureType.BOOL:
        return bool(value) if isinstance(value, bool) or value in (0, 1) else None
    if kind in _SIZES:
        fits_size = isinstance(value, tuple) and len(value) == _SIZES[kind] and all(map(_is_number, value))
        return tuple(map(float, value)) if fits_size else None
    if not _is_number(value):
        return None
    if kind is FeatureType.FLOAT:
        return float(value)
    return int(value) if value == int(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def convert_variability(variability: Variability, feature: Feature) -> Variability:
    """Return the variability with its plain values in the feature's own type.

    Raises InputError, its path within the variability, if values of another type or dimension, or outside the bounds,
    may be drawn.
    """
    match variability:
        case Constant():
            return variability.model_copy(update={"value": convert_value(variability.value, feature)})
        case Choice():
            return variability.model_copy(update={"values": tuple(_convert_choices(variability, feature))})
        case Sometimes():
            return _convert_sometimes(variability, feature)
    _check_fit(variability, feature)
    return _convert_parameters(variability) if isinstance(variability, Normal | LogNormal | Weibull) else variability


def convert_parameter(value: Any, feature: Feature) -> Any:
    """Return a parameter, plain or drawn once in a run, in the type that `feature` declares. Raises InputError."""
    if isinstance(value, Builtin):
        return convert_variability(value, feature)  # type: ignore[arg-type]
    return convert_value(value, feature)


def _convert_choices(choice: Choice, feature: Feature) -> Iterator[FeatureValue]:
    for index, value in enumerate(choice.values):
        try:
            yield convert_value(value, feature)
        except InputError as error:
            raise InputError(f"values[{index}]", error.problem) from None


def _convert_sometimes(sometimes: Sometimes, feature: Feature) -> Sometimes:
    try:
        otherwise = convert_value(sometimes.otherwise, feature)
    except InputError as error:
        raise InputError("otherwise", error.problem) from None
    try:
        variability = convert_variability(sometimes.variability, feature)
    except InputError as error:
        raise InputError(f"variability.{error.path}", error.problem) from None
    return sometimes.model_copy(update={"otherwise": otherwise, "variability": variability})


def _convert_parameters(variability: Normal | LogNormal | Weibull) -> Variability:
    values = {}
    for name, declared in variability.parameters.items():
        value = getattr(variability, name)
        try:
            values[name] = convert_parameter(value, declared)
        except InputError as error:
            path = f"{name}.{error.path}" if isinstance(value, Builtin) else name
            raise InputError(path, error.problem) from None
    converted = variability.model_copy(update=values)
    check_reach(converted)
    return converted


def _check_fit(variability: Variability, feature: Feature) -> None:
    kinds = _list_drawn_types(variability)
    if feature.type not in kinds:
        whole = "; for whole numbers take $plugins.official.UniformDistributionInt" if feature.type == "int" else ""
        raise InputError(
            "_target_",
            f"values must be {_TYPE_NAMES[feature.type]}, which {type(variability).__name__} does not draw here{whole}",
        )
    for path, bound in _find_bounds(variability):
        _check_bounds(path, bound, feature)


def _list_drawn_types(variability: Variability) -> tuple[FeatureType, ...]:
    """Return the feature types that accept the drawn values."""
    match variability:
        case UniformDistributionNdHomogeneous() | NumberVariability():
            return _TYPES_BY_SIZE.get(variability.num_dimensions, ())
        case UniformDistributionInt():
            return (FeatureType.INT, FeatureType.FLOAT)
        case ConstantHsvColorAsRgb() | RandomHsvColorAsRgb():
            return (FeatureType.COLOR,)
        case UniformDistribution3dHomogeneous() | LogNormal3dHomogeneous():
            return (FeatureType.VECTOR,)
        case UniformlyRandomLocationInMeasurementVolume():
            return (FeatureType.VECTOR,)
    return tuple(FeatureType)


def _find_bounds(variability: Variability) -> tuple[tuple[str, float], ...]:
    """Return parameter and value of both ends of the range of drawn values; empty if it has none."""
    match variability:
        case UniformDistribution3dHomogeneous() | UniformDistributionNdHomogeneous():
            return (("location", variability.location), ("scale", variability.location + variability.scale))
        case UniformDistributionInt():
            return (("location", variability.location), ("scale", variability.location + variability.scale - 1))
        case LogUniform() | Normal() | LogNormal() | Weibull() if variability.unit == "feature":
            ends = (("min", variability.min), ("max", variability.max))
            return tuple((name, end) for name, end in ends if end is not None)
    return ()


def find_largest_whole_number(variability: Variability) -> int:
    """Return the largest value of a variability that has been converted to the type of a whole number."""
    match variability:
        case Constant():
            return int(variability.value)
        case Choice():
            return max(int(value) for value in variability.values)
        case UniformDistributionInt():
            return variability.location + variability.scale - 1
        case Sometimes():
            return max(int(variability.otherwise), find_largest_whole_number(variability.variability))
    raise TypeError(f"{type(variability).__name__} draws no whole numbers")


def _check_bounds(path: str, value: float, feature: Feature) -> None:
    if feature.minimum is not None and value < feature.minimum:
        raise InputError(
            path, f"values must be at least {_format_number(feature.minimum)}, {_format_number(value)} is too small"
        )
    if feature.maximum is not None and value > feature.maximum:
        reason = f": {feature.maximum_reason}" if feature.maximum_reason else ""
        raise InputError(
            path,
            f"values must be at most {_format_number(feature.maximum)}, {_format_number(value)} is too large{reason}",
        )


def _format_number(value: float) -> str:
    return f"{value:.12g}"
