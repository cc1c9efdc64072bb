"""Cost of a bucket of null runs: the survey of a plan, the first page of a gallery, a commit and garbage collection.

    python bench/bucket.py DATASET 20000 FOLDER

DATASET is the folder of a dataset of `sem_broad`. MinIO keeps its data below FOLDER. One run is uploaded, with empty
pictures, and its objects are linked under the names of all runs in MinIO's own folder: uploads would take hours. So all
manifests hold one key, which the store of this bench replaces.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sys
from pathlib import Path
from threading import Lock
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import urllib3
from commit import build_attempt, list_keys
from minio import Minio
from process_usage import find_descendants, measure_cpu_seconds

from synth_api.resources.output import Output
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.garbage_collection import find_garbage
from synth_dataset.attempts.live_gallery import LiveGallery
from synth_dataset.attempts.survey import survey_keys
from synth_dataset.documents import layout
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.s3_store import S3Store

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import ACCESS_KEY, SECRET_KEY, minio_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_dataset.documents.run_manifest import Manifest

BUCKET = "null"


class NullBucket(S3Store):
    """Bucket whose manifests are all copies of that of one run."""

    key = b""
    """Hexadecimal key of that run."""

    def read(self, path: str) -> bytes:
        """Return an object, a manifest with the key of its name."""
        content = super().read(path)
        is_manifest = path.startswith(f"{layout.MANIFESTS}/")
        return content.replace(self.key, layout.parse_key(path).encode()) if is_manifest else content


def upload_run(source: FolderStore, store: NullBucket) -> Manifest:
    """Upload the first run of a dataset, with empty pictures."""
    manifest = source.read_manifest(next(source.iterate_keys()))
    recipe = source.read_recipe(manifest)
    with store.open_scratch("run") as folder:
        for file in manifest.files:
            is_picture = file.path.endswith((".png", ".webp"))
            (folder / file.path).write_bytes(
                b"" if is_picture else (source.run_folder(manifest) / file.path).read_bytes()
            )
        return store.commit_run(folder, manifest.model_copy(update={"recipe": store.keep_recipe(recipe, recipe)}))


def link_runs(bucket: Path, manifest: Manifest, runs: int) -> None:
    """Link the objects of a run, folders of MinIO, under the keys of all runs."""
    one = [
        layout.manifest_path(manifest.key),
        *(f"{_run_path(manifest, manifest.key)}/{file.path}" for file in manifest.files),
    ]
    sources = {name: f"{bucket}/{name}/xl.meta" for name in one}
    for key in list_keys(runs):
        for name, source in sources.items():
            target = f"{bucket}/{name.replace(f'/{manifest.key[:2]}/{manifest.key}', f'/{key.hex()[:2]}/{key.hex()}')}"
            os.makedirs(target)
            try:
                os.link(source, f"{target}/xl.meta")
            except OSError as error:
                if error.errno != errno.EMLINK:  # ext4 has 65,000 links of a file at most
                    raise
                sources[name] = shutil.copyfile(source, f"{target}/xl.meta")


def _run_path(manifest: Manifest, key: str) -> str:
    return layout.run_path(key, manifest.c8)


class Meter:
    """Measures functions: seconds, processor time of this process and of the server, requests."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._requests, self._lock = 0, Lock()
        request = urllib3.PoolManager.urlopen

        def count_request(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                self._requests += 1
            return request(*arguments, **options)

        urllib3.PoolManager.urlopen = count_request  # type: ignore[method-assign]

    def measure(self, name: str, work: Callable[[], Any]) -> None:
        """Call a function and print what it costs."""
        before, start = self._read(), perf_counter()
        work()
        own, server, requests = (after - one for after, one in zip(self._read(), before, strict=True))
        seconds = perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name}: {own:.1f} s of processor time, MinIO's {server:.1f} s, {requests:,.0f} requests, "
            f"{seconds:.1f} s; peak memory until here {peak:.0f} MB",
            flush=True,
        )

    def _read(self) -> tuple[float, float, int]:
        return process_time(), measure_cpu_seconds(find_descendants(self._server)), self._requests


def main() -> None:
    source, runs, folder = FolderStore(Path(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3])
    with minio_server(folder) as server:
        Minio(server.endpoint, ACCESS_KEY, SECRET_KEY, secure=False).make_bucket(BUCKET)
        output = Output(endpoint=server.endpoint, bucket=BUCKET, insecure=True)
        store = NullBucket(output, environment={"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY})
        manifest = upload_run(source, store)
        store.key = manifest.key.encode()
        link_runs(folder / "minio" / BUCKET, manifest, runs)
        attempt = build_attempt(runs, store.read_recipe(manifest))
        keys = b"".join(list_keys(runs))
        store.write(f"{attempt.path}/{layout.KEYS}", keys)
        store.write(f"{attempt.path}/{layout.PLAN}", attempt.document.to_json())
        print(f"{runs:,} runs of {len(manifest.files)} files", flush=True)
        assert server.process is not None
        meter = Meter(server.process.pid)
        meter.measure("survey of a plan", lambda: survey_keys(store, np.frombuffer(keys, f"S{layout.KEY_BYTES}")))
        meter.measure("first page of a gallery", LiveGallery(store, "local", "null", 1.0).build_page)
        meter.measure("garbage collection", lambda: find_garbage(store))
        meter.measure("commit", lambda: commit_dataset(store, attempt, []))


if __name__ == "__main__":
    main()
