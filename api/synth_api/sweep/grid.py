"""Run numbers as places in a product of dimensions, of which some are left out. Nothing is ever enumerated."""

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
"""Places whose digit in each of these dimensions is one of those; any digit in the others."""


@dataclass(frozen=True)
class Grid:
    """The product of dimensions of these lengths, the last one fastest; the places in `boxes` are left out."""

    lengths: tuple[int, ...]
    boxes: tuple[Box, ...] = ()

    @property
    def size(self) -> int:
        """Places, those left out as well; 1 without dimensions."""
        return prod(self.lengths)

    @cached_property
    def included_count(self) -> int:
        """Places that are not left out."""
        return self.size - self._count_excluded(0, frozenset(range(len(self.boxes))))

    def find_place(self, number: int) -> list[int]:
        """A digit for each dimension."""
        return compute_digits(number, self.lengths)

    def is_excluded(self, place: Sequence[int]) -> bool:
        """Whether a place lies in one of the boxes."""
        return any(all(place[dimension] in digits for dimension, digits in box.items()) for box in self.boxes)

    def _count_excluded(self, dimension: int, open_: frozenset[int]) -> int:
        """Places in the union of the `open_` boxes, as far as this dimension and those behind it tell.

        Digits that the same boxes hold count together, so the effort follows what the boxes name, not the lengths.
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
        return sum(count * self._count_excluded(dimension + 1, boxes) for boxes, count in holding.items() if count)
