"""Division of the runs to render into batches and shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from synth_api.resources.synth_sweep import Packaging

SHARD_BATCHES: Final = 1000
"""Batches of a shard: completions of one Indexed Job."""
MAX_BATCH_SIZE: Final = 1000
_MAX_CHOSEN_SIZE: Final = {Packaging.FILES: 100, Packaging.SHARDS: 1000}
"""A pod closes its last shard when its batch ends, so small batches would make small shards."""
_BATCHES_PER_WORKER: Final = 8
_MIN_BATCHES: Final = 20


@dataclass(frozen=True)
class Batches:
    """`todo` runs in consecutive batches of `size`, the last one perhaps smaller."""

    todo: int
    size: int

    @classmethod
    def split(
        cls, todo: int, parallelism: int, size: int | None = None, packaging: Packaging = Packaging.FILES
    ) -> Batches:
        """Return batches of the given size, or of ceil(todo / clamp(8 x parallelism, 20, 1000)).

        A chosen size is at most 100, and 1,000 for shards.
        """
        if size is None:
            parts = min(max(_BATCHES_PER_WORKER * parallelism, _MIN_BATCHES), SHARD_BATCHES)
            size = max(1, min(-(-todo // parts), _MAX_CHOSEN_SIZE[packaging]))
        return cls(todo, size)

    @property
    def count(self) -> int:
        """Number of batches in all shards."""
        return -(-self.todo // self.size)

    @property
    def shards(self) -> int:
        """Number of shards: Jobs that render the batches."""
        return -(-self.count // SHARD_BATCHES)

    def get_runs(self, batch: int) -> range:
        """Return the positions of a batch in the list of runs to render."""
        return range(batch * self.size, min((batch + 1) * self.size, self.todo))

    def get_batches(self, shard: int) -> range:
        """Return the batches of a shard; its Job's completion index counts from their first."""
        return range(shard * SHARD_BATCHES, min((shard + 1) * SHARD_BATCHES, self.count))
