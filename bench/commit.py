"""Seconds and peak memory of a commit of null runs: manifests and views as large as those of `sem_broad`, no pictures.

    python bench/commit.py DATASET 100000

DATASET is the folder of a dataset of `sem_broad`. A store in memory repeats the files of its runs under other keys, so
nothing but the commit is measured.
"""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from synth_dataset.attempts.attempt import StoredAttempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import AttemptDocument, AxisDocument, Category
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = "initial_runtime_state.seed"


class NullRun:
    """Files of a run in memory, which other runs have too."""

    def __init__(self, source: FolderStore, key: str) -> None:
        manifest = source.read_manifest(key)
        folder = source.run_folder(manifest)
        self.recipe = source.read_recipe(manifest)
        self.sizes = {file.path: file.bytes for file in manifest.files}
        self.files = {name: (folder / name).read_bytes() for name in self.sizes}
        self._key, self._manifest = key.encode(), source.read(layout.manifest_path(key))

    def build_manifest(self, key: str) -> bytes:
        """Return the manifest of a copy under another key."""
        return self._manifest.replace(self._key, key.encode())


class NullStore(FolderStore):
    """Folder store whose runs are copies of some runs, by the last byte of their keys, hashes of their numbers."""

    def __init__(self, root: Path, originals: list[NullRun], runs: int) -> None:
        super().__init__(root)
        self._originals = originals
        self.keys = b"".join(list_keys(runs))

    def _find_original(self, key: str) -> NullRun:
        return self._originals[int(key[-2:], 16) % len(self._originals)]

    def read(self, path: str) -> bytes:
        """Return a file of an original under another key."""
        if path.startswith(f"{layout.MANIFESTS}/"):
            key = layout.parse_key(path)
            return self._find_original(key).build_manifest(key)
        if path.startswith(f"{layout.RUNS}/"):
            return self._find_original(layout.parse_key(path)).files[path.split("/", 4)[4]]
        return super().read(path)

    def list_sizes(self, path: str) -> dict[str, int]:
        """Return the sizes of the files of an original."""
        return self._find_original(layout.parse_key(path)).sizes if path.startswith(f"{layout.RUNS}/") else {}

    def read_part(self, _path: str, start: int, length: int) -> bytes:
        """Return run keys."""
        return self.keys[start : start + length]


def list_keys(runs: int) -> Iterator[bytes]:
    """Yield a key for each run, the hash of its number."""
    return (sha256(run.to_bytes(8, "little")).digest() for run in range(runs))


def build_attempt(runs: int, recipe: dict[str, Any]) -> StoredAttempt:
    """Return an attempt with an axis of seeds, in pieces of 10,000 values as a custom resource has them."""
    wide = min(runs, 10_000)
    hashes = {"plan": "1" * 64, "attempt": "2" * 64}
    document = AttemptDocument(
        name="null",
        namespace="local",
        total=runs,
        cached=0,
        todo=((0, runs),),
        axes=(
            AxisDocument(path="number", values=tuple(range(-(-runs // wide)))),
            AxisDocument(path=SEED, values=tuple(range(wide))),
        ),
        categories=tuple(
            Category(id=number, name=name)
            for number, name in enumerate(sorted(recipe["blueprints"]["particles"]), start=1)
        ),
        created=datetime.now(UTC),
        **hashes,
    )
    return StoredAttempt(document, layout.attempt_path("local", "null", *hashes.values()))


def main() -> None:
    source, runs = FolderStore(Path(sys.argv[1])), int(sys.argv[2])
    originals = [NullRun(source, key) for key in sorted(source.iterate_keys())]
    with TemporaryDirectory() as folder:
        store = NullStore(Path(folder), originals, runs)
        attempt = build_attempt(runs, originals[0].recipe)
        start, processor = perf_counter(), process_time()
        commit_dataset(store, attempt, [])
        seconds = process_time() - processor
        print(f"{runs:,} runs: {perf_counter() - start:.1f} s, {seconds:.1f} s of processor time")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB, of it {len(store.keys) >> 20} MB for the keys of this store")


if __name__ == "__main__":
    main()
