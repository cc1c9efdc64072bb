"""S3 store: an object appears complete or not at all, the manifest of a run after its files."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from contextlib import contextmanager
from copy import copy
from hashlib import sha256
from io import BytesIO
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Final, TypeVar

import numpy as np
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from synth_api.jobs.attempt_input import CA_FILE
from synth_api.temporary import create_temporary_folder, find_temporary_folder
from synth_dataset.documents import layout
from synth_dataset.documents.run_manifest import Manifest
from synth_dataset.store.base import Child, StorageUsage, Store, StoreError
from synth_dataset.store.checksums import compute_entity_tag, hash_files
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.store.run_listing import (
    find_run_folders,
    list_manifests,
    list_run_folders,
    remove_run_folders,
    summarize_run_folders,
)
from synth_dataset.store.s3_client import Patience, connect
from synth_dataset.store.s3_listing import PAGE_SIZE
from synth_dataset.store.s3_problems import conceal_answer, describe_damage, explain_code, explain_error
from synth_dataset.store.sorted_keys import mark_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from synth_api.jobs.attempt_input import AttemptInput
    from synth_api.jobs.dataset_input import DatasetInput
    from synth_api.resources.output import Output
    from synth_dataset.documents.run_manifest import RunRecord
    from synth_dataset.store.s3_listing import ListedObject

T = TypeVar("T")

PART_BYTES: Final = 16 << 20
"""Size of the parts of an upload, which is the memory that it needs."""
MAX_UPLOADS: Final = 4
"""Number of files of a run that are uploaded in parallel."""
MIN_LISTED_RUNS: Final = 1000
"""From this number of runs on, all manifests are listed instead of one request per run."""
_CONTENT_TYPES: Final = {".html": "text/html", ".json": "application/json", ".png": "image/png", ".webp": "image/webp"}
"""Content types, so that a browser shows files of the bucket."""


class S3Store(Store):
    """Store below `output.prefix` in a bucket.

    Without `patience` each request is sent once. `environment` holds the credentials; `authority` is the file of the
    certificate authority of the store, if the system does not know it. A `guarded` store refuses addresses that no
    store may have; a `discreet` one has the same sentence for everything that is no store.
    """

    max_requests: ClassVar[int] = 16
    max_compared_runs: ClassVar[int] = MIN_LISTED_RUNS

    def __init__(
        self,
        output: Output,
        patience: Patience | None = None,
        environment: Mapping[str, str] = os.environ,
        authority: Path | None = None,
        *,
        guarded: bool = False,
        discreet: bool = False,
    ) -> None:
        self._output = output
        self._patience = patience or Patience()
        self._discreet = discreet
        connection = connect(output, environment, authority, self.max_requests, guarded=guarded)
        self._client, self._proxy = connection.client, connection.proxy

    def check(self) -> None:
        """Test the requests of a run: list, write, read, remove. Raises StoreError."""
        probe = f"{layout.SCRATCH}/probe-{token_hex(4)}"
        list(self.list_children(layout.SWEEPS))  # unlike HEAD, the response has the reason of a denial
        if not self._retry(self._has_bucket):
            # SeaweedFS lists a missing bucket as an empty one, and creates it at the first upload.
            raise explain_code("NoSuchBucket", self._output)
        self.write(probe, b"probe\n")
        self.read(probe)
        self.remove_files([probe])

    def open_folder(self, path: str) -> S3Store:
        """Return a folder of the store, with the connections of the store."""
        folder = copy(self)
        folder.__dict__.pop("shards", None)  # those of the whole store
        folder._output = self._output.model_copy(update={"prefix": self._object_name(path)})
        return folder

    @property
    def location(self) -> str:
        """Address of the store, `s3://bucket/prefix`."""
        return self._output.uri

    def _exists(self, path: str) -> bool:
        """Return True if an object exists, by one request."""
        try:
            self._read_size(path)
        except FileNotFoundError:
            return False
        return True

    def _read_size(self, path: str) -> int:
        """Return the size of an object in bytes. Raises FileNotFoundError."""
        return self._call_for_object(path, lambda name: self._client.stat_object(self._output.bucket, name).size or 0)

    def _read(self, path: str) -> bytes:
        """Return the content of an object. Raises FileNotFoundError that names it."""
        return self._call_for_object(path, lambda name: b"".join(self._read_blocks(name)))

    def _read_part(self, path: str, start: int, length: int) -> bytes:
        """Return `length` bytes of an object from `start`, fewer at its end. Raises FileNotFoundError."""
        if not length:  # which is all to the end of the object for the client
            return b""

        def read_range(name: str) -> bytes:
            try:
                return b"".join(self._read_blocks(name, start, length))
            except S3Error as error:
                if error.code == "InvalidRange":  # start is at the end
                    return b""
                raise

        return self._call_for_object(path, read_range)

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Create or replace an object; parts of an iterable are collected on the local disk first."""
        if isinstance(content, bytes):
            self._put_object(path, BytesIO(content))
            return
        with tempfile.TemporaryFile(dir=find_temporary_folder()) as file:
            file.writelines(content)
            self._put_object(path, file)

    def write_new(self, path: str, content: bytes) -> bool:
        """Create an object unless it exists; return False if it does.

        It may be our own after a lost response. A store that knows no conditional requests replaces what another
        process writes in the same moment.
        """
        if self.exists(path):
            return False
        return self._retry(lambda: self._client.put_new(self._output.bucket, self._object_name(path), content))

    def write_file(self, path: str, file: Path) -> None:
        """Create or replace an object with the content of a local file."""
        with file.open("rb") as stream:
            self._put_object(path, stream)

    def list_children(self, path: str) -> Iterator[Child]:
        """Yield the objects and folders directly below a folder."""
        start = f"{self._object_name(path)}/"
        listing = self._retry(lambda: list(self._client.list_objects(self._output.bucket, start)))
        for entry in listing:
            name = (entry.object_name or "").removeprefix(start)
            yield Child(name.rstrip("/"), entry.is_dir)

    def iterate_files(self, path: str) -> Iterator[str]:
        """Yield the paths of all objects below a folder, sorted."""
        for name, _, _ in self._list_objects(f"{self._object_name(path)}/"):
            yield name.removeprefix(self._object_name(""))

    def measure_usage(self, path: str) -> StorageUsage:
        """Return total size and last change of an object or of all objects below a folder."""
        name = self._object_name(path)
        objects = [entry for entry in self._list_objects(name) if entry[0] == name or entry[0].startswith(f"{name}/")]
        return StorageUsage(sum(size for _, size, _ in objects), max((time for *_, time in objects), default=0.0))

    def remove_files(self, paths: Iterable[str]) -> None:
        """Remove objects in order, 1,000 per request."""
        stream = iter(paths)
        while page := [DeleteObject(self._object_name(path)) for path in islice(stream, PAGE_SIZE)]:
            self._retry(lambda page=page: self._remove_page(page))  # type: ignore[misc]

    def remove_folder(self, path: str) -> None:
        """Remove all objects below a folder."""
        self.remove_files(self.iterate_files(path))

    def remove_run_folders(self, folders: Iterable[str]) -> None:
        """Remove folders of runs; if they are many, 1,000 of their objects per request instead of two requests each."""
        chosen = list(folders)
        if len(chosen) > MIN_LISTED_RUNS:
            remove_run_folders(self, chosen)
        else:
            super().remove_run_folders(chosen)

    @contextmanager
    def open_scratch(self, key: str) -> Iterator[Path]:
        """Create a folder on the local disk for the `with` block; it is deleted on any exit."""
        with create_temporary_folder(f"{key}-") as folder:
            yield folder

    def place_folder(self, folder: Path, path: str) -> None:
        """Upload the files of a scratch folder below `path`, in order of their names."""
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            self.write_file(f"{path}/{file.relative_to(folder).as_posix()}", file)

    def _commit_run(self, folder: Path, record: RunRecord) -> Manifest:
        """Upload the files of a scratch folder, then write the manifest of the run. Raises StoreError."""
        files = hash_files(folder)
        c8 = layout.compute_content_id((file.path, file.sha256) for file in files)
        target = layout.run_path(record.key, c8)
        uploads = read_ahead(
            lambda file: self.write_file(f"{target}/{file.path}", folder / file.path), files, MAX_UPLOADS
        )
        for _ in uploads:
            pass
        manifest = Manifest.from_record(record, c8, files)
        self.write(layout.manifest_path(record.key), manifest.to_json())
        return manifest

    def find_plain_runs(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return a mask (N,) of the runs with manifests of their own; list all manifests for many keys."""
        wanted, places = np.unique(keys, return_inverse=True)
        if len(wanted) > MIN_LISTED_RUNS:
            return mark_keys(wanted, self.iterate_plain_keys())[places]
        answers = read_ahead(
            lambda key: bool(key) and self.has_plain_run(layout.format_key(key)), wanted, self.max_requests
        )
        found: NDArray[np.bool_] = np.fromiter(answers, np.bool_, len(wanted))[places]
        return found

    def list_manifests(self) -> Iterator[tuple[str, StorageUsage]]:
        """Yield path and usage of the manifests of all runs; the folders of a first byte are listed in parallel."""
        return list_manifests(self)

    def list_run_folders(self) -> Iterator[tuple[str, dict[str, StorageUsage]]]:
        """Yield key and folders of each run with files; the folders of a first byte are listed in parallel."""
        return list_run_folders(self)

    def iterate_plain_keys(self) -> Iterator[str]:
        """Yield the keys of all runs that have manifests of their own, in any order."""
        return (path.rpartition("/")[2].removesuffix(".json") for path, _ in self.list_manifests())

    def list_usages(self, path: str) -> Iterator[tuple[str, StorageUsage]]:
        """Yield path and usage of all objects below a folder, sorted by path."""
        root = self._object_name("")
        for each in self._list_objects(f"{self._object_name(path)}/"):
            yield each.name.removeprefix(root), StorageUsage(each.size, each.time)

    def _list_sizes(self, path: str) -> dict[str, int]:
        """Return the size in bytes of each object below a folder, by path relative to the folder."""
        start = f"{self._object_name(path)}/"
        return {name.removeprefix(start): size for name, size, _ in self._list_objects(start)}

    def summarize_files(self, keys: NDArray[np.bytes_]) -> NDArray[np.uint64]:
        """Return `hash_sizes` (N,) of the folders of many runs, by listing all run folders; 0 for few runs."""
        if len(keys) <= MIN_LISTED_RUNS:
            return np.zeros(len(keys), np.uint64)
        return summarize_run_folders(self, keys)

    def _find_with_files(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return a mask (N,) of `has_files`, by listing the folders of all runs but not their objects."""
        return find_run_folders(self, keys)

    def _object_name(self, path: str) -> str:
        return f"{self._output.prefix}/{path}" if self._output.prefix else path

    def _has_bucket(self) -> bool:
        """Return False for a missing bucket; a policy for a folder of the bucket forbids the question."""
        try:
            return self._client.bucket_exists(self._output.bucket)
        except S3Error as error:
            if error.code == "AccessDenied":
                return True
            raise

    def _call_for_object(self, path: str, call: Callable[[str], T]) -> T:
        """Return the result of a call with the name of an object. Raises FileNotFoundError, StoreError."""

        def call_for_name() -> T:
            try:
                return call(self._object_name(path))
            except S3Error as error:
                if error.code != "NoSuchKey":
                    raise
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.format_uri(path)) from None

        return self._retry(call_for_name)

    def _retry(self, call: Callable[[], T]) -> T:
        """Call until success, a permanent error or the end of patience. Raises StoreError."""
        end, delay = None, self._patience.first_delay
        while True:
            try:
                return call()
            except StoreError as error:
                problem = error
            except OSError:  # of this machine; errors of urllib3 are no OSError
                raise
            except Exception as error:  # of the client or the server
                problem = self._explain(error)
            now = time.monotonic()
            end = now + self._patience.seconds if end is None else end
            if not problem.is_passing or now + delay > end or self._patience.stop.wait(delay):
                raise problem from None
            delay = min(2 * delay, self._patience.max_delay)

    def _explain(self, error: Exception) -> StoreError:
        problem = explain_error(error, self._output, self._proxy)
        return conceal_answer(problem, error, self._output) if self._discreet else problem

    def _read_blocks(self, name: str, start: int = 0, length: int = 0) -> Iterator[bytes]:
        """Yield the bytes of an object in blocks; urllib3 raises for a truncated response."""
        response = self._client.get_object(self._output.bucket, name, offset=start, length=length)
        try:
            yield from response.stream(1 << 20)
        finally:
            response.close()
            response.release_conn()

    def _list_objects(self, start: str) -> Iterator[ListedObject]:
        """Yield all objects whose name begins with `start`, sorted by name."""
        after = ""
        while True:
            page = self._retry(lambda after=after: self._client.list_page(self._output.bucket, start, after))  # type: ignore[misc]
            yield from page.objects
            if page.is_last or not page.objects:
                return
            after = page.objects[-1].name

    def _remove_page(self, page: list[DeleteObject]) -> None:
        for error in self._client.remove_objects(self._output.bucket, page):
            if error.code != "NoSuchKey":
                raise explain_code(error.code, self._output)

    def _put_object(self, path: str, stream: BinaryIO) -> None:
        """Upload, then compare the ETag of the object with the upload; if it is not an MD5, compare the content."""
        size, tag = compute_entity_tag(stream, PART_BYTES)
        kind = _CONTENT_TYPES.get(Path(path).suffix, "application/octet-stream")

        def put() -> None:
            stream.seek(0)
            sent = self._client.put_object(
                self._output.bucket,
                self._object_name(path),
                stream,
                size,
                kind,
                part_size=PART_BYTES,
                num_parallel_uploads=1,
            )
            if sent.etag != tag and not self._has_content(path, stream):
                raise describe_damage(self.format_uri(path))

        self._retry(put)

    def _has_content(self, path: str, stream: BinaryIO) -> bool:
        """Return True if an object has the content of a local stream."""
        stored, local = sha256(), sha256()
        for block in self._read_blocks(self._object_name(path)):
            stored.update(block)
        stream.seek(0)
        while block := stream.read(1 << 20):
            local.update(block)
        return stored.digest() == local.digest()


def open_store(given: AttemptInput | DatasetInput, patience: Patience | None = None) -> S3Store:
    """Open a store in a pod: credentials in the environment, the certificate authority in a volume.

    Raises StoreError for invalid credentials; sends no request.
    """
    authority = Path(CA_FILE) if given.output.ca_secret_ref else None
    return S3Store(given.output, patience, authority=authority, guarded=True, discreet=not given.endpoint_is_known)
