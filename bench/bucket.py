"""Seconds of a commit and of garbage collection in a bucket of null runs: processor time without that of MinIO.

    python bench/bucket.py DATASET 20000 FOLDER

DATASET is the folder of a dataset of `sem_broad`. MinIO keeps its data below FOLDER. One run is uploaded, with empty
pictures, and its objects are linked under the names of all runs in MinIO's own folder: uploads would take hours. So all
manifests hold one key, which the store of this bench replaces.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from commit import build_attempt, list_keys
from minio import Minio

from synth_api.resources.output import Output
from synth_dataset.attempts.dataset_commit import commit_dataset
from synth_dataset.attempts.garbage_collection import find_garbage
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
    for key in list_keys(runs):
        for name in one:
            target = bucket / name.replace(f"/{manifest.key[:2]}/{manifest.key}", f"/{key.hex()[:2]}/{key.hex()}")
            target.mkdir(parents=True)
            os.link(bucket / name / "xl.meta", target / "xl.meta")


def _run_path(manifest: Manifest, key: str) -> str:
    return layout.run_path(key, manifest.c8)


def measure(name: str, work: Callable[[], Any]) -> None:
    """Print the seconds of a function."""
    start, processor = perf_counter(), process_time()
    work()
    print(f"{name}: {process_time() - processor:.1f} s of processor time, {perf_counter() - start:.1f} s", flush=True)


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
        store.write(f"{attempt.path}/{layout.KEYS}", b"".join(list_keys(runs)))
        store.write(f"{attempt.path}/{layout.PLAN}", attempt.document.to_json())
        print(f"{runs:,} runs of {len(manifest.files)} files")
        measure("commit", lambda: commit_dataset(store, attempt, []))
        measure("garbage collection", lambda: find_garbage(store))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
