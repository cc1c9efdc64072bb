"""Cost of null runs as files and as shards: writing, the survey of a plan, a commit and garbage collection.

    PYTHONPATH=bench:tests python bench/packed_runs.py DATASET 5000 FOLDER [minio]

DATASET is the folder of a dataset of `sem_broad`, whose first run is repeated under other keys with empty label
pictures. The stores are folders below FOLDER, or buckets of a MinIO that keeps its data there.
"""

from __future__ import annotations

import os
import resource
import sys
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import urllib3
from commit import build_attempt, list_keys
from minio import Minio
from process_usage import find_descendants, measure_cpu_seconds
from servers import ACCESS_KEY, SECRET_KEY, minio_server

from synth_api.resources.output import Output
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.garbage_collection import find_garbage
from synth_dataset.attempts.survey import survey_keys
from synth_dataset.documents import layout
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import Packer
from synth_dataset.store.s3_store import S3Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store


class NullRuns:
    """Copies of one run of a dataset, with empty label pictures."""

    def __init__(self, source: FolderStore) -> None:
        self.manifest = source.read_manifest(next(source.iterate_keys()))
        self.recipe = source.read_recipe(self.manifest)
        folder = source.run_folder(self.manifest)
        names = (file.path for file in self.manifest.files)
        self.files = {
            name: b"" if name.endswith(".png") and name != "real.png" else (folder / name).read_bytes()
            for name in names
        }

    def commit(self, store: Store, key: str) -> Manifest:
        """Commit the run under another key, as a worker does."""
        reference = store.keep_recipe(self.recipe, self.recipe)
        with store.open_scratch(key) as folder:
            for name, content in self.files.items():
                (folder / name).write_bytes(content)
            return store.commit_run(folder, self.manifest.model_copy(update={"key": key, "recipe": reference}))


def write_files(store: Store, runs: NullRuns, keys: list[str]) -> None:
    """Commit runs as files."""
    for key in keys:
        runs.commit(store, key)


def write_shards(store: Store, runs: NullRuns, keys: list[str], local: FolderStore) -> None:
    """Commit runs to a local store and pack them, as a pod does."""
    packer = Packer(local, store)
    for key in keys:
        packer.add(key, sum(file.bytes for file in runs.commit(local, key).files))
        if packer.is_due:
            packer.pack()
    packer.pack()


@contextmanager
def open_stores(folder: Path, *, with_minio: bool) -> Iterator[dict[str, Callable[[], Store]]]:
    """Yield how to open an empty store for each packaging, as a new process does."""
    if not with_minio:
        yield {name: lambda name=name: FolderStore(folder / name) for name in ("files", "shards")}  # type: ignore[misc]
        return
    with minio_server(folder) as server:
        Minio(server.endpoint, ACCESS_KEY, SECRET_KEY, secure=False).make_bucket("null")
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        yield {
            name: lambda name=name: S3Store(  # type: ignore[misc]
                Output(endpoint=server.endpoint, bucket="null", prefix=name, insecure=True), environment=keys
            )
            for name in ("files", "shards")
        }


class Requests:
    """Number of HTTP requests of this process."""

    count = 0

    def __init__(self) -> None:
        send = urllib3.connectionpool.HTTPConnectionPool.urlopen

        def urlopen(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            return send(*arguments, **options)

        urllib3.connectionpool.HTTPConnectionPool.urlopen = urlopen  # type: ignore[method-assign]


def measure(name: str, requests: Requests, work: Callable[[], Any]) -> None:
    """Print the processor time of a function, of this process and of its children, and its requests."""
    before, servers, sent = process_time(), measure_servers(), requests.count
    work()
    own, others = process_time() - before, measure_servers() - servers
    print(f"  {name}: {own:.2f} s, servers {others:.2f} s, {requests.count - sent:,} requests", flush=True)


def measure_servers() -> float:
    """Return the processor time of the children of this process in seconds."""
    own = os.getpid()
    return measure_cpu_seconds(path for path in find_descendants(own) if path.name != str(own))


def measure_packaging(packaging: str, open_store: Callable[[], Store], runs: NullRuns, count: int, local: Path) -> None:
    """Print what writing, surveying, committing and garbage collection cost of runs of one packaging."""
    requests = Requests()
    keys = [key.hex() for key in list_keys(count)]
    wanted = np.array(list(list_keys(count)), f"S{layout.KEY_BYTES}")
    print(f"{count:,} runs of {len(runs.files)} files as {packaging}")
    if packaging == "files":
        measure("write", requests, lambda: write_files(open_store(), runs, keys))
    else:
        measure("write", requests, lambda: write_shards(open_store(), runs, keys, FolderStore(local)))
    store, attempt = open_store(), build_attempt(count, runs.recipe)
    folders = (layout.RUNS, layout.MANIFESTS, layout.SHARDS)
    print(f"  objects: {sum(1 for folder in folders for _ in store.iterate_files(folder)):,}")
    store.write(f"{attempt.path}/{layout.KEYS}", b"".join(list_keys(count)))
    store.write(f"{attempt.path}/{layout.PLAN}", attempt.document.to_json())
    measure("survey", requests, lambda: survey_keys(open_store(), wanted))
    measure("commit", requests, lambda: commit_dataset(open_store(), attempt, []))
    measure("garbage collection", requests, lambda: find_garbage(open_store()))


def main() -> None:
    source, count, folder = FolderStore(Path(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3])
    runs = NullRuns(source)
    with open_stores(folder, with_minio="minio" in sys.argv[4:]) as stores:
        for packaging, open_store in stores.items():
            measure_packaging(packaging, open_store, runs, count, folder / "local")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
