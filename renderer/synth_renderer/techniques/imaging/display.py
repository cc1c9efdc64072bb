"""From the amplified signal to grey values: black level, automatic brightness and contrast, response, polarity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.numerics.kernel import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

TAIL: Final = 0.003
"""Share of the pixels that lie outside the levels on either side, so that single bright pixels do not set them."""
MIN_SPREAD: Final = 1e-3
"""Lowest spread of a signal that is stretched, so that an empty picture keeps a finite gain."""
TABLE_STEPS: Final = 1024
"""Steps of grey in the table of the response."""


def subtract_black(signal: Plane, black_point: float) -> Plane:
    """Return (signal - b) / (1 - b), (H, W): the signal b becomes black, full white stays."""
    black = np.float32(black_point)
    return np.asarray((signal - black) / (np.float32(1) - black))


def set_levels(signal: Plane, black: float, white: float) -> Plane:
    """Return the signal (H, W) with the gain and offset at which its tails of 0.3 % end at `black` and `white`.

    That is what automatic brightness and contrast do (L. Reimer, Scanning Electron Microscopy, 2nd ed., 1998,
    chapter 6). `white` 0 switches it off.
    """
    if white == 0:
        return signal
    count = signal.size
    ends = int(TAIL * count), count - 1 - int(TAIL * count)
    low, high = (float(value) for value in np.partition(signal, ends, axis=None)[list(ends)])
    gain = (white - black) / max(high - low, MIN_SPREAD)
    return np.asarray(np.float32(black) + np.float32(gain) * (signal - np.float32(low)))


def limit_range(signal: Plane) -> Plane:
    """Return the signal (H, W) cut to 0 … 1: the range of the digitiser."""
    return np.clip(signal, 0, 1)


def bend_response(grey: Plane, gamma: float, saturation: float) -> Plane:
    """Return y + s (3 y^2 - 2 y^3 - y) with y = grey^gamma, (H, W), 0 … 1, interpolated in steps of 1 / 1024.

    Nonlinear amplification (Reimer 1998, chapter 6): gamma below 1 lifts dark greys; saturation s, 0 … 1, makes the
    response an S, steep in the middle and flat towards black and white. Powers are rounded to float32.
    """
    if gamma == 1 and saturation == 0:
        return grey
    steps = np.arange(TABLE_STEPS + 1) / TABLE_STEPS
    power = np.array([step**gamma for step in steps.tolist()]).astype(np.float32).astype(np.float64)
    return _look_up(grey, power + saturation * (power * power * (3 - 2 * power) - power))


@kernel
def _look_up(grey: NDArray[np.float32], table: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the values of `grey`, 0 … 1, in a table of equal steps, interpolated between two entries."""
    result = np.empty_like(grey)
    last = len(table) - 1
    for index in range(grey.size):
        place = grey.flat[index] * np.float64(last)
        entry = min(int(place), last - 1)
        result.flat[index] = table[entry] + (place - entry) * (table[entry + 1] - table[entry])
    return result


def invert_contrast(grey: Plane) -> Plane:
    """Return 1 - grey, (H, W): a displayed negative, or a detector of the current that the specimen absorbs."""
    return np.float32(1) - grey
