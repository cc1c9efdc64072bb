"""How long a run takes, from what a store has measured."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synth_dataset.store import Store


def seconds_per_run(store: Store, sample: int = 50) -> float | None:
    """Mean seconds of up to `sample` runs of the store; None when it has none."""
    seconds = [store.manifest(key).total_seconds for key in islice(store.keys(), sample)]
    return sum(seconds) / len(seconds) if seconds else None
