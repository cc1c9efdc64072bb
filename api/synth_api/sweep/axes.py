"""Parsing of command-line arguments in Hydra's override grammar into axes and fixed overrides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Final, NoReturn

from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, QuotedString, RangeSweep, Sweep

from synth_api.composition.overrides import format_override_value, read_override
from synth_api.errors import InputError
from synth_api.problems import quote_value
from synth_api.sweep.axis_values import MAX_RUNS, DecimalRange, Value, build_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hydra._internal.grammar.functions import Functions

_ALTERNATIVES: Final = {
    "glob": "write the values, `a,b,c`",
    "interval": "a sweep has discrete values: write `range(start,stop,step)`",
    "shuffle": "axes keep their order: write the values in the order you want",
    "sort": "write the values in the order you want",
    "tag": "write the values alone",
    "int": "write whole numbers",
    "float": "write numbers with a point",
    "str": "quote the values",
    "bool": "write `true,false`",
}
_MAX_FACTORS: Final = 4
_MAX_WRITTEN_RUNS: Final = 10**12
"""A larger number of runs is written as a power of ten."""
_PATH_PROBLEM: Final = "an axis needs the dotted path of a value in the recipe"


@dataclass(frozen=True)
class Axis:
    """One swept key: `sign` is the override's `+`, `++` or nothing, `path` its dotted key.

    A `zipped` axis moves with the one before it, which has as many values.
    """

    sign: str
    path: str
    values: Sequence[Value]
    zipped: bool = False

    @property
    def probe(self) -> str:
        """Override of this key with a placeholder value, to check Hydra's rules about keys."""
        value = self.values[0]
        empty = "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else None
        return f"{self.sign}{self.path}={empty or format_override_value(value)}"

    @property
    def has_interpolations(self) -> bool:
        """True if some value holds an interpolation."""
        numbers = isinstance(self.values, range | DecimalRange)
        return not numbers and any("${" in str(value) for value in self.values)

    def format_override(self, index: int) -> str:
        """Return the plain override that sets value `index`, in Hydra's grammar."""
        return f"{self.sign}{self.path}={format_override_value(self.values[index])}"


@dataclass(frozen=True)
class Arguments:
    """Axes in the order given, and the other overrides as written."""

    axes: tuple[Axis, ...]
    fixed: tuple[str, ...]
    fixed_paths: tuple[str, ...]

    def with_axes(self, axes: tuple[Axis, ...]) -> Arguments:
        """Return the arguments with structured axes. Raises InputError if both have axes, and as `parse_arguments`."""
        if axes and self.axes:
            problem = f"there are axes here and in overrides ('{self.axes[0].path}'); write all of them in one place"
            raise InputError("axes", problem)
        check_run_count(axes)
        return replace(self, axes=self.axes or axes)

    def index_paths(self, index: Callable[[str], str]) -> Arguments:
        """Return the arguments with step ids in paths replaced by indices. Raises InputError as `parse_arguments`."""
        axes = tuple(replace(axis, path=index(axis.path)) for axis in self.axes)
        fixed_paths = tuple(map(index, self.fixed_paths))
        _check_overlaps([axis.path for axis in axes], fixed_paths)
        return Arguments(axes, self.fixed, fixed_paths)


def parse_arguments(arguments: Iterable[str]) -> Arguments:
    """Sort arguments into axes and fixed overrides.

    Raises InputError for what the grammar or a sweep does not allow: functions other than `range` and `choice`, an
    axis without values, two arguments for one key or for a key and something below it, more than 10^6 runs.
    """
    axes: list[Axis] = []
    fixed: list[str] = []
    fixed_paths: list[str] = []
    for argument in arguments:
        override = read_override(argument, _PARSER)
        path = override.key_or_group
        if override.is_sweep_override():
            axes.append(_build_axis(override, path))
        else:
            _to_plain_value(path, override.value())
            fixed.append(argument)
            fixed_paths.append(path)
    _check_overlaps([axis.path for axis in axes], fixed_paths)
    check_run_count(axes)
    return Arguments(tuple(axes), tuple(fixed), tuple(fixed_paths))


def check_run_count(axes: Sequence[Axis]) -> None:
    """Raise InputError for more than 10^6 runs."""
    lengths = [len(axis.values) for axis in axes if not axis.zipped]
    runs = prod(lengths)
    if runs > MAX_RUNS:
        factors = " x ".join(f"{length:,}" for length in lengths)
        values = f"{factors} values" if len(lengths) <= _MAX_FACTORS else f"the values of {len(lengths)} axes"
        number = f"{runs:,}" if runs < _MAX_WRITTEN_RUNS else f"about 10^{len(str(runs)) - 1}"
        problem = f"{values} make {number} runs, a sweep has {MAX_RUNS:,} at most; split it"
        raise InputError(axes[-1].path, problem)


def parse_axis_key(path: str) -> tuple[str, str]:
    """Return sign and dotted key of a structured axis' path, `+a.b`. Raises InputError as `parse_arguments`."""
    try:
        override = read_override(f"{path}=0,0", _PARSER)
    except InputError:
        raise InputError(path, _PATH_PROBLEM) from None
    axis = _build_axis(override, override.key_or_group)
    if axis.sign + axis.path != path:
        raise InputError(path, _PATH_PROBLEM)
    return axis.sign, axis.path


def _build_axis(override: Override, path: str) -> Axis:
    if override.is_delete():
        raise InputError(path, "an axis cannot delete a key; write its values, or `~key` alone")
    if override.package is not None or "/" in path or path == "hydra" or path.startswith("hydra."):
        raise InputError(path, _PATH_PROBLEM)
    return Axis(_find_sign(override), path, _list_values(path, override.value()))


def _find_sign(override: Override) -> str:
    if override.is_force_add():
        return "++"
    return "+" if override.is_add() else ""


def _list_values(path: str, swept: Any) -> Sequence[Value]:
    if isinstance(swept, RangeSweep):
        assert swept.start is not None
        assert swept.stop is not None
        return build_range(path, swept.start, swept.stop, swept.step)
    assert isinstance(swept, ChoiceSweep)
    return tuple(_to_plain_value(path, value) for value in swept.list)


def _to_plain_value(path: str, value: Any) -> Value:
    """Return the value without the grammar's own types."""
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [_to_plain_value(path, item) for item in value]
    if isinstance(value, dict):
        return {str(_to_plain_value(path, key)): _to_plain_value(path, item) for key, item in value.items()}
    if isinstance(value, Sweep | Glob):
        raise InputError(path, "a `range` or `choice` inside a list of values; give it alone, or write the values")
    if isinstance(value, int) and abs(value) >= 2**53:
        raise InputError(path, f"must lie within ±(2^53 - 1), {quote_value(value)} does not")
    return value


def _check_overlaps(axes: Sequence[str], fixed: Sequence[str]) -> None:
    for number, path in enumerate(axes):
        for other in [*axes[:number], *fixed]:
            if path == other:
                what = "two axes" if other in axes[:number] else "an axis and a fixed override"
                raise InputError(path, f"there are {what} for this key; keep one")
            if path.startswith(other + ".") or other.startswith(path + "."):
                raise InputError(path, f"'{other}' and '{path}' lie within each other; keep one")


def _build_functions() -> Functions:
    functions = create_functions()
    for name in _ALTERNATIVES:
        functions.functions[name] = _build_refusal(name)
    choice = functions.functions["choice"]

    def choice_of_some(*values: Any) -> Any:
        if not values:
            raise InputError("", "the axis has no values; write them, `choice(a,b)` or `a,b`")
        return choice(*values)

    functions.functions["choice"] = choice_of_some
    return functions


def _build_refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_list_values: Any, **_named: Any) -> NoReturn:
        raise InputError("", f"`{name}(…)` is not available in a sweep; {_ALTERNATIVES[name]}")

    return refuse


_PARSER: Final = OverridesParser(_build_functions())
