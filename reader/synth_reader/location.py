"""Files of a store by their path: in a folder, or in a bucket."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pyarrow import fs

from synth_reader.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyarrow import NativeFile

_TRIES: Final = 5
_CONNECT_SECONDS: Final = 3


class Location:
    """The root of a store; it can be pickled, and another process opens it again."""

    def __init__(self, address: str | os.PathLike[str], filesystem: fs.FileSystem | None) -> None:
        self.address: Final = str(address)
        self._root: Final = _open_root(self.address, filesystem)

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError, DatasetError for a store that cannot be read."""
        return self._read(path, lambda file: file.read())

    def read_part(self, path: str, start: int, size: int) -> bytes:
        """Return so many bytes of a file from `start`, by one request. Raises FileNotFoundError, DatasetError."""
        return self._read(path, lambda file: file.read_at(size, start))

    def _read(self, path: str, read: Callable[[NativeFile], bytes]) -> bytes:
        if ".." in path.split("/"):
            raise DatasetError(f"{self.format(path)}: leads out of the store; restore the document that names it")
        try:
            with self._root.open_input_file(path) as file:
                return read(file)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise DatasetError(f"{self.format(path)}: cannot be read: {error}") from error

    def read_json(self, path: str) -> dict[str, Any]:
        """Return the content of a document. Raises FileNotFoundError, DatasetError."""
        return parse_json(self.read(path), self.format(path))

    def list_folders(self, path: str) -> list[str]:
        """Return the names of the folders in a folder, sorted; none if it does not exist. Raises DatasetError."""
        return sorted(info.base_name for info in self._list(path) if info.type == fs.FileType.Directory)

    def list_sizes(self, path: str) -> dict[str, int]:
        """Return the sizes of the files in a folder by name; none if it does not exist. Raises DatasetError."""
        return {info.base_name: info.size for info in self._list(path) if info.type == fs.FileType.File}

    def _list(self, path: str) -> list[fs.FileInfo]:
        try:
            found: list[fs.FileInfo] = self._root.get_file_info(fs.FileSelector(path, allow_not_found=True))
        except OSError as error:
            raise DatasetError(f"{self.address}: cannot be read: {error}") from error
        return found

    def format(self, path: str) -> str:
        """Return the address of a file, for messages."""
        return f"{self.address.rstrip('/')}/{path}"


def parse_json(content: bytes, address: str) -> dict[str, Any]:
    """Return a document. Raises DatasetError that names its address."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise DatasetError(f"{address}: is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise DatasetError(f"{address}: is not a JSON object")
    return document


def _open_root(address: str, filesystem: fs.FileSystem | None) -> fs.FileSystem:
    """Return the filesystem of pyarrow whose root is the root of the store. Raises DatasetError."""
    if filesystem is not None:
        return fs.SubTreeFileSystem(address, filesystem)
    if "://" not in address:
        return fs.SubTreeFileSystem(Path(address).absolute().as_posix(), fs.LocalFileSystem())
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc:
        raise DatasetError(f"{address}: is neither a folder nor s3://BUCKET/PREFIX; give `filesystem` for other stores")
    return fs.SubTreeFileSystem(f"{parts.netloc}/{parts.path.strip('/')}".rstrip("/"), _open_s3(address, parts.netloc))


def _open_s3(address: str, bucket: str) -> fs.S3FileSystem:
    """Return the S3 service that the environment names; keys come from the environment or ~/.aws/credentials."""
    options: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=_TRIES),
    }
    if region := os.environ.get("AWS_REGION"):
        options["region"] = region
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        parts = urlsplit(endpoint)
        return fs.S3FileSystem(endpoint_override=parts.netloc, scheme=parts.scheme, **options)
    try:
        return fs.S3FileSystem(**{"region": region or fs.resolve_s3_region(bucket)} | options)
    except OSError as error:
        raise DatasetError(f"{address}: the region of the bucket is unknown; set AWS_REGION: {error}") from error
