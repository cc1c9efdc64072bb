"""Run numbers as places in a product of dimensions with exclusions, without enumeration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from synth_api.sweep.axis_values import compute_digits

if TYPE_CHECKING:
    from collections.abc import Sequence

Box = Mapping[int, frozenset[int]]
"""Excluded places: dimension -> digits; any digit in dimensions that it does not name."""


@dataclass(frozen=True)
class Grid:
    """The product of dimensions of these lengths, the last one fastest; the places in `boxes` are excluded."""

    lengths: tuple[int, ...]
    boxes: tuple[Box, ...] = ()

    @property
    def size(self) -> int:
        """Number of places, excluded ones included; 1 without dimensions."""
        return prod(self.lengths)

    @cached_property
    def included_count(self) -> int:
        """Number of places that are not excluded."""
        return self.size - self._count_exclusions(0, frozenset(range(len(self.boxes))))

    def find_place(self, number: int) -> list[int]:
        """Return the place of a run number: a digit for each dimension."""
        return compute_digits(number, self.lengths)

    def is_excluded(self, place: Sequence[int]) -> bool:
        """Return True if a place lies in one of the boxes."""
        return any(all(place[dimension] in digits for dimension, digits in box.items()) for box in self.boxes)

    def _count_exclusions(self, dimension: int, open_: frozenset[int]) -> int:
        """Return the number of places in the union of the `open_` boxes, from this dimension on.

        Digits in the same boxes are counted together: the cost depends on the boxes, not on the lengths.
        """
        if not open_:
            return 0
        if any(max(self.boxes[box], default=-1) < dimension for box in open_):
            return prod(self.lengths[dimension:])
        named = {digit for box in open_ for digit in self.boxes[box].get(dimension, ())}
        holding: dict[frozenset[int], int] = {}
        for digit in named:
            boxes = frozenset(box for box in open_ if digit in self.boxes[box].get(dimension, {digit}))
            holding[boxes] = holding.get(boxes, 0) + 1
        free = frozenset(box for box in open_ if dimension not in self.boxes[box])
        holding[free] = holding.get(free, 0) + self.lengths[dimension] - len(named)
        return sum(count * self._count_exclusions(dimension + 1, boxes) for boxes, count in holding.items() if count)
