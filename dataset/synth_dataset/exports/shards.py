"""Shards of an export: files of about one size that hold the runs of one split, in the order of keys."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_dataset.documents.layout import ANNOTATIONS
from synth_dataset.exports.chunks import cut_by_key
from synth_dataset.exports.export_format import ExportFormat
from synth_dataset.exports.sample import SampleReader, find_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synth_dataset.exports.export_format import ExportContext

_MAX_MEASURED: Final = 32
"""Number of runs whose files are measured, all over the selection."""


@dataclass(frozen=True)
class Shard:
    """Place of a shard among those of its split."""

    split: str
    number: int
    count: int
    """Number of shards of the split."""


class ShardedFormat(ExportFormat):
    """A format whose chunks are shards."""

    @cached_property
    def shards(self) -> list[Shard]:
        """Place of each shard among those of its split."""
        selection = self.context.selection
        splits = [selection.splits[int(selection.table["split"][positions[0]])] for positions in self._chunks]
        counts = Counter(splits)
        seen: Counter[str] = Counter()
        shards = []
        for split in splits:
            shards.append(Shard(split, seen[split], counts[split]))
            seen[split] += 1
        return shards

    def cut(self) -> list[NDArray[np.int64]]:
        """Return the positions of the runs of each shard; as many runs as fit, by the mean size of some of them."""
        return self._chunks

    @cached_property
    def _chunks(self) -> list[NDArray[np.int64]]:
        runs = max(1, int(self.context.options.shard_bytes // _measure_run(self.context)))
        return cut_by_key(self.context.selection, runs)


def _measure_run(context: ExportContext) -> float:
    """Return the mean size of a run in a shard, in bytes: its pictures, its ids as an array, its annotations."""
    runs = len(context.selection)
    if not runs:
        return 1.0
    reader = SampleReader(context.sources, context.classes, context.options)
    sizes = []
    for run in context.selection.iterate(np.linspace(0, runs - 1, min(runs, _MAX_MEASURED)).astype(np.int64)):
        sample = reader.read_bare(run)
        files = [sample.picture, *sample.extras.values(), find_file(sample.manifest, ANNOTATIONS)]
        sizes.append(sum(file.bytes for file in files) + 2 * sample.manifest.width * sample.manifest.height)
    return float(np.mean(sizes))
