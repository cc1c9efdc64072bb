"""Order in which runs are rendered: the first tenth of a sweep is a fair sample of all of it.

In run order the first batches would hold the first values of the slowest axis, so neither time nor cost of the whole
could be told from them. Here the digits of all axes advance together, each by its own step that has no factor in
common with the axis' length. So any consecutive runs hold each value of an axis equally often, up to one. The steps
are those of Roberts' R sequence ("The unreasonable effectiveness of quasirandom sequences", 2018), which keeps the
axes independent of each other and spreads the values of a long one evenly.
"""

from __future__ import annotations

from math import gcd, lcm, prod
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from synth_dataset.documents.attempt_document import AxisDocument

_ITERATIONS: Final = 64
"""Fixed-point iterations, each of which more than halves the error."""


def order_runs(axes: Sequence[AxisDocument]) -> NDArray[np.int64]:
    """Return the numbers of all runs of a sweep in the order in which they are rendered. Memory: 40 bytes per run."""
    lengths = [len(axis.values) for axis in axes if not axis.zipped]
    position = np.arange(prod(lengths), dtype=np.int64)
    runs = np.zeros_like(position)
    period = 1
    for length, step in zip(lengths, _choose_steps(lengths), strict=True):
        # A common factor of period and length leaves combinations out, until the shift reaches them.
        cycle, period = lcm(period, length), period * length
        shift = position % period // cycle
        runs = runs * length + (step * position + shift) % length
    return runs


def _choose_steps(lengths: Sequence[int]) -> Iterator[int]:
    """Yield the step of each axis: its share of the length, or the next number without a common factor with it."""
    shares = iter(_compute_shares(sum(length > 1 for length in lengths)))
    for length in lengths:
        wanted = length * next(shares) if length > 1 else 0.0
        steps = (step for step in range(length) if gcd(step, length) == 1)
        yield min((abs(step - wanted), step) for step in steps)[1]


def _compute_shares(axes: int) -> list[float]:
    """Return 1/g, 1/g^2, … for the root g of x^(axes + 1) = x + 1: the golden ratio for one axis."""
    root = 1.5
    for _ in range(_ITERATIONS):
        root = (1 + root) ** (1 / (axes + 1))
    return [root**-power for power in range(1, axes + 1)]
