"""Format of a shard: many runs in one tar file, in which an index finds them.

The tar file has the paths of the store: first the files of all runs, in the order of their keys and of their manifests,
then all manifests. So unpacking it in the folder of the store gives runs as files, with manifests last.
"""

from __future__ import annotations

import tarfile
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from synth_dataset.documents.run_manifest import Manifest

_REMEDY: Final = "synth verify --repair writes it again"
BLOCK: Final = tarfile.BLOCKSIZE
"""Bytes of a block of a tar file: each header and each content begins at a block."""
END: Final = bytes(2 * BLOCK)
"""End of a tar file."""
_MAX_BLOCKS: Final = 2**32 - 1
_MAX_USTAR_BYTES: Final = 8**11 - 1
INDEX_ROW: Final = np.dtype(
    [
        ("key", f"S{layout.KEY_BYTES}"),
        ("c8", np.uint32),
        ("offset", np.int64),
        ("length", np.int64),
        ("manifest_offset", np.int64),
        ("manifest_bytes", np.int32),
    ]
)
"""Row of an index, sorted by key. `offset` and `length` in bytes: the members with the run's files in the tar file.

`manifest_offset` is that of the content of its manifest. All three are multiples of BLOCK.
"""
_BLOCK_COLUMNS: Final = ("offset", "length", "manifest_offset")


def build_header(path: str, size: int) -> bytes:
    """Return what precedes the content of a file in a tar file: one block, or three if USTAR cannot hold the path."""
    member = tarfile.TarInfo(path)
    member.size = size
    try:
        return member.tobuf(tarfile.USTAR_FORMAT)
    except ValueError:
        return member.tobuf(tarfile.PAX_FORMAT)


def measure_header(path: str, size: int) -> int:
    """Return the length of `build_header`, at a hundredth of its time for the paths of runs."""
    is_plain = len(path.encode()) <= tarfile.LENGTH_NAME and size <= _MAX_USTAR_BYTES
    return BLOCK if is_plain else len(build_header(path, size))


def pad(size: int) -> int:
    """Return the bytes that a content of this size has in a tar file."""
    return -(-size // BLOCK) * BLOCK


def locate_files(folder: str, files: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    """Yield path, offset of the content and size of each file of a run, relative to `offset` of the run.

    `folder` is that of the run in the store; `files` have path and size, in the order of the manifest.
    """
    start = 0
    for path, size in files:
        start += measure_header(f"{folder}/{path}", size)
        yield path, start, size
        start += pad(size)


def measure_members(manifest: Manifest) -> int:
    """Return the bytes that the files of a run have in a tar file, with their headers."""
    folder = layout.run_path(manifest.key, manifest.c8)
    return sum(measure_header(f"{folder}/{file.path}", file.bytes) + pad(file.bytes) for file in manifest.files)


def build_index(runs: Iterable[tuple[str, str, int, int]]) -> NDArray[np.void]:
    """Return the index (N,) of INDEX_ROW of runs, given in the order of their keys.

    Each is (key, c8, bytes of the members of its files, bytes of its manifest).
    """
    listed = list(runs)
    start, position = 0, sum(length for _, _, length, _ in listed)
    rows = []
    for key, c8, length, size in listed:
        position += measure_header(layout.manifest_path(key), size)
        rows.append((bytes.fromhex(key), int(c8, 16), start, length, position, size))
        start += length
        position += pad(size)
    return np.array(rows, INDEX_ROW)


def compute_tar_bytes(index: NDArray[np.void]) -> int:
    """Return the size of the tar file of an index in bytes."""
    last = index[np.argmax(index["manifest_offset"])]
    return int(last["manifest_offset"]) + pad(int(last["manifest_bytes"])) + len(END)


def name_shard(manifests: Iterable[bytes]) -> str:
    """Return the name of a shard: 16 digits of the sha256 over its manifests. Equal names are equal bytes."""
    digest = sha256()
    for manifest in manifests:
        digest.update(manifest)
    return digest.hexdigest()[:16]


def encode_index(index: NDArray[np.void]) -> bytes:
    """Return an index as a Parquet file."""
    columns: dict[str, Any] = {name: index[name] for name in INDEX_ROW.names or ()}
    columns["key"] = [key.ljust(layout.KEY_BYTES, b"\0") for key in index["key"].tolist()]
    columns["c8"] = [format_content_id(c8) for c8 in index["c8"].tolist()]
    # Only here: every process that opens a store would load Arrow, and most look into no shard.
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = BytesIO()
    pq.write_table(pa.table(columns, _build_schema()), target)
    return target.getvalue()


def parse_index(content: bytes, path: object) -> NDArray[np.void]:
    """Parse an index (N,) of INDEX_ROW. Raises DocumentError that names the file `path`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _build_schema()
    try:
        table = pq.read_table(BytesIO(content), columns=schema.names).cast(schema)
        if any(column.null_count for column in table.columns):
            raise ValueError("a value is missing")
        index = np.empty(len(table), INDEX_ROW)
        index["key"] = table["key"].to_pylist()
        index["c8"] = [int(c8, 16) for c8 in table["c8"].to_pylist()]
        for name in schema.names[2:]:
            index[name] = table[name].to_numpy()
        if not all(_are_blocks(index[name]) for name in _BLOCK_COLUMNS):
            raise ValueError("a place is not that of a block")
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:  # OSError: of pyarrow, for damaged Parquet
        raise DocumentError(f"{path}: is no index of a shard; {_REMEDY}") from error
    if not len(index) or (index["key"][1:] <= index["key"][:-1]).any():
        raise DocumentError(f"{path}: is no index of a shard, its keys are not sorted; {_REMEDY}")
    return index


def _are_blocks(places: NDArray[np.int64]) -> bool:
    return not (places % BLOCK).any() and bool(np.all((places >= 0) & (places <= _MAX_BLOCKS * BLOCK)))


def _build_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        {
            "key": pa.binary(layout.KEY_BYTES),
            "c8": pa.string(),
            "offset": pa.int64(),
            "length": pa.int64(),
            "manifest_offset": pa.int64(),
            "manifest_bytes": pa.int32(),
        }
    )


def format_content_id(c8: int) -> str:
    """Return the content id of a run folder as its path has it."""
    return f"{c8:08x}"
