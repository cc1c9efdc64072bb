"""A store in a bucket: objects appear whole or not at all, a run's manifest after its files."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from contextlib import contextmanager
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
from synth_dataset.store.checksums import entity_tag, hash_files
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.store.s3_client import Patience, connect
from synth_dataset.store.s3_problems import damaged, explained, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from synth_api.resources.output import Output
    from synth_dataset.documents.run_manifest import RunRecord

T = TypeVar("T")

PART: Final = 16 << 20
"""Bytes from which an object goes up in parts; what an upload holds in memory."""
UPLOADS: Final = 4
"""Files of a run that go up at a time."""
LISTED_FROM: Final = 1000
"""Runs from which all manifests are listed instead of asking for each."""
_PAGE: Final = 1000
_TYPES: Final = {".html": "text/html", ".json": "application/json", ".png": "image/png", ".webp": "image/webp"}
"""So that a browser shows what it opens in the bucket."""


class S3Store(Store):
    """The layout of a store below `output.prefix` in a bucket.

    Without `patience` each request is tried once. `environment` holds the credentials; `authority` is the file of the
    certificate authority that signed the store's certificate, where the system's do not know it.
    """

    requests_at_once: ClassVar[int] = 16
    compared_at_most: ClassVar[int] = LISTED_FROM

    def __init__(
        self,
        output: Output,
        patience: Patience | None = None,
        environment: Mapping[str, str] = os.environ,
        authority: Path | None = None,
    ) -> None:
        self._output = output
        self._patience = patience or Patience()
        connection = connect(output, environment, authority, self.requests_at_once)
        self._client, self._proxy = connection.client, connection.proxy

    def check(self) -> None:
        """List, write, read and remove, as a run will. Raises StoreError."""
        probe = f"{layout.SCRATCH}/probe-{token_hex(4)}"
        list(self.children(layout.SWEEPS))  # says why it is denied, which HEAD cannot
        if not self._patiently(lambda: self._client.bucket_exists(self._output.bucket)):
            # SeaweedFS lists a bucket that is not there as an empty one, and makes it at the first upload.
            raise refused("NoSuchBucket", self._output)
        self.write(probe, b"probe\n")
        self.read(probe)
        self.remove_files([probe])

    @property
    def location(self) -> str:
        """`s3://bucket/prefix`."""
        return self._output.uri

    def exists(self, path: str) -> bool:
        """Whether there is an object: one request."""
        try:
            self.size(path)
        except FileNotFoundError:
            return False
        return True

    def size(self, path: str) -> int:
        """Bytes of an object. Raises FileNotFoundError."""
        return self._of(path, lambda name: self._client.stat_object(self._output.bucket, name).size or 0)

    def read(self, path: str) -> bytes:
        """An object. Raises FileNotFoundError naming it."""
        return self._of(path, lambda name: b"".join(self._blocks(name)))

    def read_part(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of an object from `start`, fewer at its end. Raises FileNotFoundError."""

        def part(name: str) -> bytes:
            try:
                return b"".join(self._blocks(name, start, length))
            except S3Error as error:
                if error.code == "InvalidRange":  # at the end
                    return b""
                raise

        return self._of(path, part)

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Make or replace an object; pieces are gathered on the local disk first."""
        if isinstance(content, bytes):
            self._put(path, BytesIO(content))
            return
        with tempfile.TemporaryFile(dir=find_temporary_folder()) as file:
            file.writelines(content)
            self._put(path, file)

    def children(self, path: str) -> Iterator[Child]:
        """What lies directly below a folder."""
        start = f"{self._name(path)}/"
        listing = self._patiently(lambda: list(self._client.list_objects(self._output.bucket, start)))
        for entry in listing:
            name = (entry.object_name or "").removeprefix(start)
            yield Child(name.rstrip("/"), entry.is_dir)

    def files(self, path: str) -> Iterator[str]:
        """The paths of all objects below a folder, sorted, a thousand at a time."""
        for name, _, _ in self._objects(f"{self._name(path)}/"):
            yield name.removeprefix(self._name(""))

    def usage(self, path: str) -> StorageUsage:
        """How large and how young an object, or what lies below a folder, is."""
        name = self._name(path)
        found = [(size, time) for at, size, time in self._objects(name) if at == name or at.startswith(f"{name}/")]
        return StorageUsage(sum(size for size, _ in found), max((time for _, time in found), default=0.0))

    def remove_files(self, paths: Iterable[str]) -> None:
        """Remove objects, in order, a thousand at a time."""
        stream = iter(paths)
        while page := [DeleteObject(self._name(path)) for path in islice(stream, _PAGE)]:
            self._patiently(lambda page=page: self._remove(page))  # type: ignore[misc]

    def remove_folder(self, path: str) -> None:
        """Remove all objects below a folder."""
        self.remove_files(self.files(path))

    @contextmanager
    def scratch(self, key: str) -> Iterator[Path]:
        """A new folder on the local disk that vanishes on any exit."""
        with create_temporary_folder(f"{key}-") as folder:
            yield folder

    def place(self, folder: Path, path: str) -> None:
        """Put a scratch folder's files below `path`, in the order of their names."""
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            self._upload(file, f"{path}/{file.relative_to(folder).as_posix()}")

    def commit(self, folder: Path, record: RunRecord) -> Manifest:
        """Upload the files of a scratch folder, then write the run's manifest. Raises StoreError."""
        files = hash_files(folder)
        c8 = layout.content_id((file.path, file.sha256) for file in files)
        target = layout.run_path(record.key, c8)
        uploads = read_ahead(lambda file: self._upload(folder / file.path, f"{target}/{file.path}"), files, UPLOADS)
        for _ in uploads:
            pass
        manifest = Manifest.of(record, c8, files)
        self.write(layout.manifest_path(record.key), manifest.to_json())
        return manifest

    def present(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Which of these runs exist; of many, by listing what there is. Memory goes with `keys` alone."""
        wanted, places = np.unique(keys, return_inverse=True)
        found = np.zeros(len(wanted), np.bool_)
        if len(wanted) <= LISTED_FROM:
            answers = read_ahead(
                lambda key: bool(key) and self.has(layout.key_text(key)), wanted, self.requests_at_once
            )
            found[:] = list(answers)
        else:
            _mark(wanted, found, self.keys())
        return found[places]

    def sizes(self, path: str) -> dict[str, int]:
        """Bytes of each object below a folder, by its path there."""
        start = f"{self._name(path)}/"
        return {name.removeprefix(start): size for name, size, _ in self._objects(start)}

    def _with_files(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """By listing the folders of all runs, not their objects."""
        wanted, places = np.unique(keys, return_inverse=True)
        found = np.zeros(len(wanted), np.bool_)
        shards = (f"{layout.RUNS}/{shard.name}" for shard in self.children(layout.RUNS))
        _mark(wanted, found, (run.name for shard in shards for run in self.children(shard)))
        return found[places]

    def _name(self, path: str) -> str:
        return f"{self._output.prefix}/{path}" if self._output.prefix else path

    def _of(self, path: str, call: Callable[[str], T]) -> T:
        """What a call gives for an object. Raises FileNotFoundError, StoreError."""

        def found() -> T:
            try:
                return call(self._name(path))
            except S3Error as error:
                if error.code != "NoSuchKey":
                    raise
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.uri(path)) from None

        return self._patiently(found)

    def _patiently(self, call: Callable[[], T]) -> T:
        """Call until it succeeds, the problem does not pass, or patience ends. Raises StoreError."""
        end, delay = None, self._patience.first
        while True:
            try:
                return call()
            except StoreError as error:
                problem = error
            except OSError:  # of this machine: urllib3 has errors of its own
                raise
            except Exception as error:  # of the client, which says what the server sent
                problem = explained(error, self._output, self._proxy)
            now = time.monotonic()
            end = now + self._patience.seconds if end is None else end
            if not problem.is_passing or now + delay > end or self._patience.stop.wait(delay):
                raise problem from None
            delay = min(2 * delay, self._patience.longest)

    def _blocks(self, name: str, start: int = 0, length: int = 0) -> Iterator[bytes]:
        """An object's bytes; urllib3 raises when fewer come than were promised."""
        response = self._client.get_object(self._output.bucket, name, offset=start, length=length)
        try:
            yield from response.stream(1 << 20)
        finally:
            response.close()
            response.release_conn()

    def _objects(self, start: str) -> Iterator[tuple[str, int, float]]:
        """Name, bytes and time of all objects whose name starts so, in order, page by page."""
        last: str | None = None
        while True:
            page = self._patiently(lambda last=last: self._page(start, last))  # type: ignore[misc]
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def _page(self, start: str, after: str | None) -> list[tuple[str, int, float]]:
        listing = self._client.list_objects(self._output.bucket, start, recursive=True, start_after=after)
        return [
            (entry.object_name or "", entry.size or 0, entry.last_modified.timestamp() if entry.last_modified else 0.0)
            for entry in islice(listing, _PAGE)
        ]

    def _remove(self, page: list[DeleteObject]) -> None:
        for error in self._client.remove_objects(self._output.bucket, page):
            if error.code != "NoSuchKey":
                raise refused(error.code, self._output)

    def _upload(self, file: Path, path: str) -> None:
        with file.open("rb") as stream:
            self._put(path, stream)

    def _put(self, path: str, stream: BinaryIO) -> None:
        """Upload, and hold what has arrived against what was sent: its ETag, or where that is no MD5, its content."""
        size, tag = entity_tag(stream, PART)
        kind = _TYPES.get(Path(path).suffix, "application/octet-stream")

        def put() -> None:
            stream.seek(0)
            sent = self._client.put_object(
                self._output.bucket, self._name(path), stream, size, kind, part_size=PART, num_parallel_uploads=1
            )
            if sent.etag != tag and not self._holds(path, stream):
                raise damaged(self.uri(path))

        self._patiently(put)

    def _holds(self, path: str, stream: BinaryIO) -> bool:
        """Whether the object has the content of a local stream."""
        there, here = sha256(), sha256()
        for block in self._blocks(self._name(path)):
            there.update(block)
        stream.seek(0)
        while block := stream.read(1 << 20):
            here.update(block)
        return there.digest() == here.digest()


def _mark(wanted: NDArray[np.bytes_], found: NDArray[np.bool_], names: Iterable[str]) -> None:
    """Mark which of the sorted keys are among names."""
    existing = (bytes.fromhex(name) for name in names if layout.is_key(name))
    while page := list(islice(existing, _PAGE)):
        listed = np.array(page, wanted.dtype)
        at = np.searchsorted(wanted, listed)
        inside = at < len(wanted)
        hits = wanted[at[inside]] == listed[inside]
        found[at[inside][hits]] = True


def open_store(output: Output, patience: Patience | None = None) -> S3Store:
    """The store of an output in a pod: credentials in its environment, the authority where it is mounted.

    Raises StoreError for credentials that cannot be right; asks the store nothing.
    """
    return S3Store(output, patience, authority=Path(CA_FILE) if output.ca_secret_ref else None)
