"""Named random streams: a draw depends on who draws what in which step, never on how many draws came before.

A stream is Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Its key are the first
16 bytes of sha256(canonical JSON of [seed, step, object, feature]) as two little-endian 64-bit words; its counter runs
from 1. The transforms are our own, because numpy's distributions promise no stable stream; docs/random-streams.md
publishes vectors of everything here.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.recipe.feature_generation import FeatureGenerationStep

_WORD: Final = 2**64 - 1
_MULTIPLIERS: Final = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_KEY_INCREMENTS: Final = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_ROUNDS: Final = 10


def philox(counter: int, key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the four 64-bit words of one block of Philox4x64-10 at a 256-bit counter."""
    x0, x1, x2, x3 = (counter >> shift & _WORD for shift in (0, 64, 128, 192))
    k0, k1 = key
    for _ in range(_ROUNDS):
        first, second = x0 * _MULTIPLIERS[0], x2 * _MULTIPLIERS[1]
        x0, x1, x2, x3 = second >> 64 ^ x1 ^ k0, second & _WORD, first >> 64 ^ x3 ^ k1, first & _WORD
        k0, k1 = k0 + _KEY_INCREMENTS[0] & _WORD, k1 + _KEY_INCREMENTS[1] & _WORD
    return x0, x1, x2, x3


class Stream:
    """The random numbers of one feature of one object in one step; each call continues where the last ended.

    0 <= seed < 2^53; `step` is a name from `step_names`.
    """

    def __init__(self, seed: int, step: str, object_name: str, feature: str) -> None:
        # For integers and strings, and only for them, this is RFC 8785; the tests compare with its own encoder.
        name = json.dumps([seed, step, object_name, feature], ensure_ascii=False, separators=(",", ":"))
        digest = sha256(name.encode()).digest()
        self._words = _words((int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")))

    def draw_word(self) -> int:
        """Return the next raw word, 0 to 2^64 - 1."""
        return next(self._words)

    def draw_uniform(self) -> float:
        """Return u in [0, 1): (word >> 11) * 2^-53."""
        return (self.draw_word() >> 11) * 2.0**-53

    def draw_below(self, n: int) -> int:
        """Return an unbiased integer in [0, n): top bits of a word, drawn again from n on; 1 <= n <= 2^64."""
        shift = 64 - (n - 1).bit_length()
        while True:
            value = self.draw_word() >> shift
            if value < n:
                return value

    def draw_normal(self) -> float:
        """Return a standard normal by Box and Muller: sqrt(-2 ln(1 - u)) cos(2 pi v). Round results to float32."""
        u, v = self.draw_uniform(), self.draw_uniform()
        return math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2.0 * math.pi * v)


def _words(key: tuple[int, int]) -> Iterator[int]:
    counter = 0
    while True:
        counter += 1
        yield from philox(counter, key)


def build_step_names(steps: Sequence[FeatureGenerationStep]) -> list[str]:
    """Return `<target>:<variability>:<set>:<n>` of each step; n counts steps of one target, variability and set.

    Variability and set are empty for steps without one. A step's id is not in it, as it is not in the run key.
    """
    seen: Counter[str] = Counter()
    names = []
    for step in steps:
        variability = getattr(step, "feature_variability_name", "")
        kind = f"{step.target}:{variability}:{getattr(step, 'affected_set_name', '')}"
        seen[kind] += 1
        names.append(f"{kind}:{seen[kind]}")
    return names
