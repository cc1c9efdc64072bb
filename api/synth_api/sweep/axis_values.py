"""Values of an axis: a list, or a range that is never enumerated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isfinite
from typing import Any, overload

from synth_api.errors import InputError

Value = Any
"""A plain YAML value: number, string, bool, None, list or dict of these."""

MAX_RUNS = 1_000_000


@dataclass(frozen=True)
class DecimalRange(Sequence[float]):
    """start + i x step for 0 <= i < length, exact in decimal and rounded once: the third of 0, 0.1, … is 0.2."""

    start: Fraction
    step: Fraction
    length: int

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[float, ...]: ...
    def __getitem__(self, index: int | slice) -> float | tuple[float, ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(self.length)))
        return float(self.start + range(self.length)[index] * self.step)


def find_position(values: range | DecimalRange, value: Value) -> int | None:
    """Return the index of a number in a range; None if the range does not hold it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    place = (Fraction(str(value)) - values.start) / values.step
    return int(place) if place.denominator == 1 and 0 <= place < len(values) else None


def replace_infinities(tree: Any) -> Any:
    """Return the tree with infinities as text, because JSON has none."""
    if isinstance(tree, dict):
        return {key: replace_infinities(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [replace_infinities(value) for value in tree]
    return str(tree) if isinstance(tree, float) and not isfinite(tree) else tree


def compute_digits(number: int, lengths: Sequence[int]) -> list[int]:
    """Return the digits of a number, one below each length, the last one fastest."""
    digits = []
    for length in reversed(lengths):
        number, digit = divmod(number, length)
        digits.append(digit)
    return digits[::-1]


def build_range(path: str, start: float, stop: float, step: float) -> Sequence[int] | DecimalRange:
    """Return the half-open range of Hydra's `range`: integers if all three are, else floats counted in decimal.

    Raises InputError if it is empty, endless, longer than a sweep may be or has whole numbers beyond ±(2^53 - 1).
    """
    text = f"range({start}, {stop}, {step})"
    if any(isinstance(bound, bool) or not isfinite(bound) for bound in (start, stop, step)) or step == 0:
        raise InputError(path, f"{text} needs finite numbers and a step other than 0")
    first, last, width = (Fraction(str(bound)) for bound in (start, stop, step))
    count = ceil((last - first) / width)
    if count <= 0:
        raise InputError(path, f"{text} has no values; give a stop beyond the start in the direction of the step")
    if count > MAX_RUNS:
        raise InputError(path, f"{text} has {count:,} values, a sweep at most {MAX_RUNS:,} runs; split it")
    if all(isinstance(bound, int) for bound in (start, stop, step)):
        whole = range(int(start), int(stop), int(step))
        if max(abs(whole[0]), abs(whole[-1])) >= 2**53:
            raise InputError(path, f"{text} has values beyond ±(2^53 - 1); a whole number lies within")
        return whole
    return DecimalRange(first, width, count)
