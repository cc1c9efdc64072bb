"""The fixed colours of categorical pictures."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def build_palette(count: int) -> NDArray[np.uint8]:
    """Return distinct colours of bodies 0 … count - 1, (count, 3) sRGB uint8, none black.

    They are the integers 1 … 0xffffff that `numpy.random.RandomState(0)` chooses with replacement, read as 0xRRGGBB,
    repeats left out. That legacy generator's stream is frozen by numpy (NEP 19).
    """
    length = 1024
    while length < 2 * count:
        length *= 2
    return _colors(length)[:count]


@lru_cache(maxsize=4)
def _colors(draws: int) -> NDArray[np.uint8]:
    numbers = np.random.RandomState(0).randint(1, 1 << 24, size=draws)
    _, first = np.unique(numbers, return_index=True)
    distinct = numbers[np.sort(first)]
    colors: NDArray[np.uint8] = np.stack([distinct >> 16, distinct >> 8 & 255, distinct & 255], axis=1).astype(np.uint8)
    colors.flags.writeable = False
    return colors
