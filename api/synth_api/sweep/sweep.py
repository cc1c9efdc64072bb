"""A sweep: one recipe and axes whose product gives N runs, numbered 0 to N - 1, last axis fastest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from math import isfinite, prod
from typing import TYPE_CHECKING, Any

from synth_api.errors import InputError
from synth_api.key import canonical_json, run_key
from synth_api.recipe.compose import compose, resolve
from synth_api.recipe.model import parse
from synth_api.recipe.overrides import indexed_overrides, indexed_path
from synth_api.recipe.source import read_recipe
from synth_api.sweep.axes import Axis, override_text, parse_arguments
from synth_api.sweep.keys import keys_of
from synth_api.sweep.tree import path_of, put
from synth_api.sweep.values import DecimalRange, Value, mixed_radix
from synth_api.version import ENGINE_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from synth_api.recipe.model import Recipe


@dataclass(frozen=True)
class Sweep:
    """One recipe, composed once with its fixed overrides; `base` still holds its interpolations."""

    name: str
    axes: tuple[Axis, ...]
    base: dict[str, Any]

    @classmethod
    def load(cls, path: Path, arguments: Sequence[str] = ()) -> Sweep:
        """Read a recipe file and a command line's arguments; every value of every axis is checked.

        Raises InputError for whatever is wrong with either of them.
        """
        source = read_recipe(path)
        parsed = parse_arguments(arguments)
        base = compose(source, parsed.fixed)
        axes = parsed.indexed(partial(indexed_path, base)).axes
        # Hydra's rules for an override: a key to change must be there, one to add must not.
        indexed_overrides(base, [axis.argument(0) for axis in axes])
        sweep = cls(source.name, axes, base)
        sweep._check_values()
        return sweep

    @property
    def runs(self) -> int:
        """N, the product of the axes' lengths; 1 without axes."""
        return prod(len(axis.values) for axis in self.axes)

    def digits(self, run: int) -> list[int]:
        """The index into each axis' values, by mixed-radix arithmetic. Raises InputError outside 0 … N - 1."""
        if not 0 <= run < self.runs:
            raise InputError("", f"there is no run {run}; this sweep has runs 0 to {self.runs - 1}")
        return mixed_radix(run, [len(axis.values) for axis in self.axes])

    def overrides(self, run: int) -> dict[str, Value]:
        """Dotted path -> value of each axis, in the axes' order."""
        return {axis.path: axis.values[digit] for axis, digit in zip(self.axes, self.digits(run), strict=True)}

    def recipe(self, run: int) -> Recipe:
        """The run's recipe. Raises InputError if its values, each of them good, do not fit together."""
        return self.recipe_at(self.digits(run))

    def recipe_at(self, digits: Sequence[int]) -> Recipe:
        """The recipe at an index into each axis' values."""
        tree: Any = self.base
        for axis, digit in zip(self.axes, digits, strict=True):
            tree = put(tree, path_of(axis.path), axis.values[digit])
        try:
            return parse(resolve(tree))
        except InputError as error:
            if not self.axes:
                raise
            raise InputError(error.path, f"{error.problem} (in the run with {self._words(digits)})") from None

    def key(self, run: int) -> str:
        """The run's key, 64 hexadecimal digits."""
        return run_key(self.recipe(run))

    def keys(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The keys of runs start … stop - 1 in order, 32 bytes each, equal to `key` but many times faster.

        Memory does not grow with their number. Raises InputError at the first run whose values do not fit together.
        """
        return keys_of(self, start, self.runs if stop is None else min(stop, self.runs))

    def plan(self, output: str = "") -> str:
        """The hash of the sweep's inputs, 64 hexadecimal digits: recipe, axes, engine version and output."""
        document = {
            "recipe": _digest(self.base),
            "axes": [{"path": axis.path, **_written(axis.values)} for axis in self.axes],
            "exclude": [],
            "engine": ENGINE_VERSION,
            "output": output,
            "batchSize": "auto",
        }
        return _digest(document)

    def _words(self, digits: Sequence[int]) -> str:
        texts = (override_text(axis.values[digit]) for axis, digit in zip(self.axes, digits, strict=True))
        short = (text if len(text) <= 60 else f"{text[:59]}…" for text in texts)
        return ", ".join(f"{axis.path}={text}" for axis, text in zip(self.axes, short, strict=True))

    def _check_values(self) -> None:
        """Each value of each axis beside the first of the others; all largest ones together, for bounds on sums."""
        first = [0] * len(self.axes)
        self.recipe_at(first)
        for number, axis in enumerate(self.axes):
            for digit in _checked(axis.values):
                self.recipe_at([*first[:number], digit, *first[number + 1 :]])
        self.recipe_at([_largest(axis.values) for axis in self.axes])


def _checked(values: Sequence[Value]) -> Sequence[int]:
    """The indices to check beside the first."""
    last = len(values) - 1
    if isinstance(values, range | DecimalRange):
        # Bounds are intervals, so both ends vouch for what lies between; the second shows whether steps are whole.
        return sorted({min(1, last), last} - {0})
    return range(1, last + 1)


def _largest(values: Sequence[Value]) -> int:
    """The index of the largest number; 0 where not all are numbers."""
    ends = {0, len(values) - 1} if isinstance(values, range | DecimalRange) else range(len(values))
    if not all(isinstance(values[digit], int | float) for digit in ends):
        return 0
    return max(ends, key=lambda digit: float(values[digit]))


def _written(values: Sequence[Value]) -> dict[str, Any]:
    if isinstance(values, range | DecimalRange):
        step = values[1] - values[0] if len(values) > 1 else 0
        return {"range": [values[0], step, len(values)]}
    return {"values": list(values)}


def _digest(tree: Any) -> str:
    return sha256(canonical_json(_finite(tree))).hexdigest()


def _finite(tree: Any) -> Any:
    """JSON has no infinity; limits in a recipe may."""
    if isinstance(tree, dict):
        return {key: _finite(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_finite(value) for value in tree]
    return str(tree) if isinstance(tree, float) and not isfinite(tree) else tree
