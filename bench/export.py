"""Seconds and peak memory of an export of null runs, which are all copies of the first run of a dataset.

    python bench/export.py DATASET 100000 coco

DATASET is a dataset folder. A store in memory repeats the files of the run under other keys, and the files of chunks
are digested and dropped, so nothing but the export is measured.
"""

from __future__ import annotations

import resource
import shutil
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.parquet as pq
from commit import NullRun, NullStore, build_attempt

from synth_dataset.attempts.dataset_source import DatasetSource, find_source
from synth_dataset.documents import layout
from synth_dataset.exports.export import prepare_export
from synth_dataset.exports.options import ExportOptions
from synth_dataset.exports.target import WORK, Target
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from synth_api.export_options import FormatName


class IndexedStore(NullStore):
    """Null store with an index."""

    def read_size(self, path: str) -> int:
        """Return the size of a file, which is the index."""
        return FolderStore.read_size(self, path)

    def read_part(self, path: str, start: int, length: int) -> bytes:
        """Return a part of a file, which is the index."""
        return FolderStore.read_part(self, path, start, length)


class DroppingStore(FolderStore):
    """Folder store that keeps documents and unfinished work, but drops the files of chunks."""

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Write a file unless a chunk has it."""
        if "/" in path and not path.startswith((WORK, "annotations")):
            deque([content] if isinstance(content, bytes) else content, maxlen=0)
        else:
            super().write(path, content)


def build_source(folder: Path, source: DatasetSource, runs: int) -> DatasetSource:
    """Return a dataset of so many copies of the first run of a dataset."""
    row = next(source.iterate_rows(["key", "visible", "folder", "label_digest"]))
    original = NullRun(FolderStore(Path(source.store.location)), row["key"])
    store = IndexedStore(folder, [original], runs)
    shutil.copytree(Path(source.store.location) / layout.RECIPES, folder / layout.RECIPES)
    keys = [store.keys[first : first + layout.KEY_BYTES].hex() for first in range(0, len(store.keys), layout.KEY_BYTES)]
    same = {"visible": row["visible"], "folder": row["folder"], "label_digest": row["label_digest"]}
    attempt = build_attempt(runs, source.attempt.recipe or {}).document
    axes = {axis.path: [attempt.overrides(run)[axis.path] for run in range(runs)] for axis in attempt.axes}
    columns = {"run": range(runs), "key": keys, "seed": range(runs), **axes}
    index = pa.table({**columns, **{name: [value] * runs for name, value in same.items()}})
    path = folder / "attempt" / layout.INDEX
    path.parent.mkdir()
    pq.write_table(index, path)
    dataset = source.dataset.model_copy(update={"folder": "attempt", "files": ()})
    return DatasetSource(store, dataset, attempt.model_copy(update={"categories": dataset.categories}))


def main(dataset: Path, runs: int, format_: FormatName) -> None:
    """Print runs, seconds, processor seconds and peak memory of an export."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "store").mkdir()
        source = build_source(place / "store", find_source(FolderStore(dataset), None), runs)
        # One shard: its rows must not be in memory together.
        options = ExportOptions(format_, link="copy", shard_bytes=1 << 50)
        start, cpu = perf_counter(), process_time()
        export = prepare_export([source], options, Target(DroppingStore(place / "out"), "copy"))
        selected = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        export.write()
        seconds, cpu = perf_counter() - start, process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{format_}: {runs} runs, {seconds:.1f} s, processor {cpu:.1f} s; peak {peak} MB, {selected} MB once selected"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), cast("FormatName", sys.argv[3]))
