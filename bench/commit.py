"""Seconds and peak memory of a commit of null runs: manifests and views as large as those of `sem_broad`, no pictures.

    python bench/commit.py DATASET 100000 [packed] [local]

DATASET is the folder of a dataset of `sem_broad`. A store in memory repeats the files of its runs under other keys, so
nothing but the commit is measured. `packed`: the runs are in shards. `local`: no batches keep the particle tables of
their runs, as on a laptop.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_dataset.attempts.attempt import StoredAttempt
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.documents import layout
from synth_dataset.documents.attempt_document import AttemptDocument, AxisDocument, Category
from synth_dataset.documents.particle_table import parse_table
from synth_dataset.documents.shard_index import (
    build_index,
    compute_tar_bytes,
    encode_index,
    locate_files,
    measure_header,
    measure_members,
    pad,
)
from synth_dataset.memory import release_memory
from synth_dataset.store.base import Child
from synth_dataset.store.batch_tables import open_batch_tables, write_batch_tables
from synth_dataset.store.folder_store import FolderStore

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = "initial_runtime_state.seed"
SHARD_RUNS = 300
"""Runs of a shard of 256 MB."""
BATCH_RUNS: Final = 100


class NullRun:
    """A run whose copies have other keys; memory holds its manifest and its particles."""

    def __init__(self, source: FolderStore, key: str) -> None:
        manifest = source.read_manifest(key)
        self.c8, self.length = manifest.c8, measure_members(manifest)
        self.sizes = {file.path: file.bytes for file in manifest.files}
        self._folder = source.run_folder(manifest)
        self.particles = (self._folder / layout.PARTICLES).read_bytes()
        self._key, self._content = key.encode(), source.read(layout.manifest_path(key))

    def build_manifest(self, key: str) -> bytes:
        """Return the manifest of a copy."""
        return self._content.replace(self._key, key.encode())

    def read(self, file: str) -> bytes:
        """Return a file of each copy."""
        return self.particles if file == layout.PARTICLES else (self._folder / file).read_bytes()


class CopyStore(FolderStore, ABC):
    """Folder store whose runs are copies of some runs; their keys are hashes of their numbers."""

    def __init__(self, root: Path, originals: list[NullRun], runs: int) -> None:
        super().__init__(root)
        self._originals = originals
        self.keys = b"".join(list_keys(runs))
        self.tables: NullTables | None = None

    @abstractmethod
    def choose_original(self, run: int) -> int:
        """Return the position of the original of a run."""

    def list_children(self, path: str) -> Iterator[Child]:
        """Yield the files of the batches."""
        if path.endswith(layout.BATCHES) and self.tables is not None:
            return (Child(name, is_folder=False) for name in self.tables.names)
        return super().list_children(path)

    def read_size(self, path: str) -> int:
        """Return the size of a file of a batch."""
        assert self.tables is not None
        return self.tables.read_size(path)

    def read_part(self, path: str, start: int, length: int) -> bytes:
        """Return bytes of a file of a batch, or run keys."""
        if self.tables is not None and path.endswith(layout.TABLES):
            return self.tables.read(path, start, length)
        return self.keys[start : start + length]


class NullTables:
    """Particle tables of all batches: each file has the messages of all originals, and the entries of its own runs."""

    def __init__(self, folder: Path, attempt: StoredAttempt, originals: list[NullRun], store: CopyStore) -> None:
        tables = ((number, run.c8, parse_table(run.particles)) for number, run in enumerate(originals))
        assert write_batch_tables(folder / "tables", tables) == len(originals)
        entries = open_batch_tables(FolderStore(folder), "tables").entries
        self._messages = (folder / "tables").read_bytes()[: int(entries[-1]["offset"] + entries[-1]["length"])]
        self._entries, self._batches, self._choose = entries, attempt.batches, store.choose_original
        self._runs = np.fromiter(attempt.iterate_todo(), np.int32)
        self._find_tail = lru_cache(4)(self._build_tail)
        self.names = [f"{batch}{layout.TABLES}" for batch in range(attempt.batches.count)]

    def _build_tail(self, path: str) -> bytes:
        batch = int(path.rpartition("/")[2].removesuffix(layout.TABLES))
        runs = np.sort(self._runs[np.array(self._batches.get_runs(batch))])
        entries = self._entries[[self._choose(run) for run in runs.tolist()]]
        entries["run"] = runs
        return entries.tobytes() + len(entries).to_bytes(8, "little")

    def read_size(self, path: str) -> int:
        """Return the size of a file."""
        return len(self._messages) + len(self._find_tail(path))

    def read(self, path: str, start: int, length: int) -> bytes:
        """Return messages, or else entries and their number."""
        first = start - len(self._messages)
        return self._messages[start : start + length] if first < 0 else self._find_tail(path)[first : first + length]


class NullStore(CopyStore):
    """Store whose runs are files, copies of the original that the last byte of their key chooses."""

    def choose_original(self, run: int) -> int:
        """Return the position of the original of a run."""
        return self.keys[(run + 1) * layout.KEY_BYTES - 1] % len(self._originals)

    def _find_original(self, key: str) -> NullRun:
        return self._originals[int(key[-2:], 16) % len(self._originals)]

    def read(self, path: str) -> bytes:
        """Return a file of an original under another key."""
        if path.startswith(f"{layout.MANIFESTS}/"):
            key = layout.parse_key(path)
            return self._find_original(key).build_manifest(key)
        if path.startswith(f"{layout.RUNS}/"):
            return self._find_original(layout.parse_key(path)).read(path.split("/", 4)[4])
        return super().read(path)

    def list_sizes(self, path: str) -> dict[str, int]:
        """Return the sizes of the files of an original."""
        return self._find_original(layout.parse_key(path)).sizes if path.startswith(f"{layout.RUNS}/") else {}


class NullShard:
    """Shard of copies of a run, so that all of its members have the same length."""

    def __init__(self, original: NullRun, keys: bytes) -> None:
        self._original = original
        self._keys = sorted(
            keys[start : start + layout.KEY_BYTES].hex() for start in range(0, len(keys), layout.KEY_BYTES)
        )
        size = len(original.build_manifest("0" * 64))
        self._length = original.length
        self.index = build_index((key, original.c8, self._length, size) for key in self._keys)
        folder = layout.run_path(self._keys[0], original.c8)
        self._files = {start: path for path, start, _ in locate_files(folder, original.sizes.items())}
        self._first = int(self.index["manifest_offset"][0])
        self._step = measure_header(layout.manifest_path(self._keys[0]), size) + pad(size)

    def read(self, start: int, length: int) -> bytes:
        """Return bytes of a file or of a manifest."""
        if start >= self._first:
            number, start = divmod(start - self._first, self._step)
            return self._original.build_manifest(self._keys[number])[start : start + length]
        return self._original.read(self._files[start % self._length])[:length]


class PackedNullStore(CopyStore):
    """Store whose runs are in shards, neighbours of a sweep in the same one."""

    def __init__(self, root: Path, originals: list[NullRun], runs: int) -> None:
        super().__init__(root, originals, runs)
        self._open_shard = lru_cache(4)(self._build_shard)
        self._names = [f"{number:016x}" for number in range(-(-runs // SHARD_RUNS))]

    def _build_shard(self, name: str) -> NullShard:
        number, size = int(name, 16), SHARD_RUNS * layout.KEY_BYTES
        return NullShard(self._originals[number % len(self._originals)], self.keys[number * size : (number + 1) * size])

    def choose_original(self, run: int) -> int:
        """Return the position of the original of a run."""
        return run // SHARD_RUNS % len(self._originals)

    def list_sizes(self, path: str) -> dict[str, int]:
        """Return the sizes of the files of shards."""
        assert path == layout.SHARDS
        return {f"{name}{layout.SHARD_INDEX}": 0 for name in self._names}

    def read_size(self, path: str) -> int:
        """Return the size of a tar file or of a file of a batch."""
        if path.endswith(layout.TABLES):
            return super().read_size(path)
        return compute_tar_bytes(self._open_shard(layout.parse_shard_name(path)).index)

    def _read(self, path: str) -> bytes:
        """Return the index of a shard, or a file that is not packed."""
        if path.startswith(f"{layout.SHARDS}/"):
            return encode_index(self._open_shard(layout.parse_shard_name(path)).index)
        return super()._read(path)

    def read_part(self, path: str, start: int, length: int) -> bytes:
        """Return bytes of a packed file, of a file of a batch, or run keys."""
        return FolderStore.read_part(self, path, start, length)

    def _read_part(self, path: str, start: int, length: int) -> bytes:
        """Return bytes of a tar file, of a file of a batch, or run keys."""
        if path.startswith(f"{layout.SHARDS}/"):
            return self._open_shard(layout.parse_shard_name(path)).read(start, length)
        return super().read_part(path, start, length)


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
        batch_size=BATCH_RUNS,
        spread=True,
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


def read_recipe(source: FolderStore) -> dict[str, Any]:
    """Return the recipe of a dataset."""
    return source.read_recipe(source.read_manifest(next(source.iterate_keys())))


def read_memory(entry: str) -> int:
    """Return an entry of this process's status in MB: VmRSS, or VmHWM, the peak since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry)) // 1024


def forget_peak() -> None:
    """Have the kernel measure the peak memory from now on (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    release_memory()
    bare = read_memory("VmRSS")
    source, runs = FolderStore(Path(sys.argv[1])), int(sys.argv[2])
    originals = [NullRun(source, key) for key in sorted(source.iterate_keys())]
    with TemporaryDirectory() as folder:
        store = (PackedNullStore if "packed" in sys.argv[3:] else NullStore)(Path(folder), originals, runs)
        attempt = build_attempt(runs, read_recipe(source))
        if "local" not in sys.argv[3:]:
            store.tables = NullTables(Path(folder), attempt, originals, store)
        release_memory()
        before, start, processor = read_memory("VmRSS"), perf_counter(), process_time()
        forget_peak()
        commit_dataset(store, attempt, [])
        seconds = process_time() - processor
        print(f"{runs:,} runs: {perf_counter() - start:.1f} s, {seconds:.1f} s of processor time")
    print(f"peak memory {read_memory('VmHWM')} MB, of them {before - bare} MB of this bench's own files and keys")


if __name__ == "__main__":
    main()
