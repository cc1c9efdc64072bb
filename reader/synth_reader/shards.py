"""Shards of a store: tar files that hold the files of many runs, and indexes that say where those of a run are."""

from __future__ import annotations

import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth_reader.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synth_reader.location import Location

_FOLDER: Final = "shards"
PLACE: Final = "place"
_RUN: Final = "S36"
"""Key and content id of a run, as bytes."""
_FIELDS: Final = ("shard", "offset", "manifest_offset", "manifest_bytes")
_READS: Final = 16
"""Indexes that are read at the same time."""


@dataclass(frozen=True)
class ShardPlace:
    """Where a run is: a tar file, the byte at which the members with its files begin, and that of its manifest."""

    shard: str
    offset: int
    manifest_offset: int
    manifest_bytes: int

    def read_manifest(self, location: Location) -> bytes:
        """Return the manifest. Raises FileNotFoundError, DatasetError."""
        return location.read_part(self.shard, self.manifest_offset, self.manifest_bytes)

    def locate_files(self, folder: str, manifest: Mapping[str, Any]) -> Mapping[str, tuple[int, int]]:
        """Return offset in the tar file and size of each file of the run, whose folder in the store is given."""
        places, offset = {}, self.offset
        for file in manifest["files"]:
            offset += _measure_header(f"{folder}/{file['path']}")
            places[file["path"]] = (offset, file["bytes"])
            offset += _pad(file["bytes"])
        return places


def add_places(location: Location, index: pa.Table) -> pa.Table:
    """Return the index of a dataset; if the store has shards, with a column PLACE: where its packed runs are, or null.

    A run is packed if a shard has it with the content that the index names. Raises DatasetError.
    """
    sizes = location.list_sizes(_FOLDER)
    names = sorted(name for name in sizes if name.endswith(".parquet"))
    with ThreadPoolExecutor(_READS) as pool:
        shards = [shard for shard in pool.map(lambda name: _read_shard(location, name, sizes), names) if shard]
    if not shards:
        return index
    known = np.concatenate([runs for runs, _ in shards])
    places = pa.concat_tables(table for _, table in shards).combine_chunks()
    order = np.argsort(known, kind="stable")
    wanted = np.array([_parse_folder(folder) for folder in index["folder"].to_pylist()], _RUN)
    rows = order[np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)]
    is_elsewhere = pa.array(known[rows] != wanted)
    found = places.take(pa.array(rows)).combine_chunks()
    columns = [found[name].chunk(0) if len(found) else pa.array([], found[name].type) for name in _FIELDS]
    return index.append_column(PLACE, pa.StructArray.from_arrays(columns, _FIELDS, mask=is_elsewhere))


def _read_shard(location: Location, name: str, sizes: Mapping[str, int]) -> tuple[NDArray[np.bytes_], pa.Table] | None:
    """Return names and places of the runs of a shard; None without its whole tar file, and for one just removed."""
    path, tar = f"{_FOLDER}/{name}", f"{name.rpartition('.')[0]}.tar"
    try:
        content = location.read(path)
    except FileNotFoundError:
        return None
    try:
        table = pq.read_table(pa.BufferReader(content))
        rows = zip(table["key"].to_pylist(), table["c8"].to_pylist(), strict=True)
        runs = np.array([key + bytes.fromhex(content) for key, content in rows], _RUN)
        manifests = zip(table["manifest_offset"].to_pylist(), table["manifest_bytes"].to_pylist(), strict=True)
        end = max(start + _pad(size) for start, size in manifests)
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:  # OSError: for damaged Parquet
        problem = "is not the index of a shard; synth verify of the store says what helps"
        raise DatasetError(f"{location.format(path)}: {problem}") from error
    if sizes.get(tar) != end + 2 * tarfile.BLOCKSIZE:
        return None
    shard = pa.array([f"{_FOLDER}/{tar}"] * len(runs)).dictionary_encode()
    return runs, table.append_column("shard", shard).select(_FIELDS)


def _parse_folder(folder: str) -> bytes:
    """Return key and content id of the folder of a run; nothing for another folder."""
    parts = folder.split("/")
    try:
        return bytes.fromhex("".join(parts[2:4])) if len(parts) == 4 else b""
    except ValueError:
        return b""


def _measure_header(path: str) -> int:
    """Return the bytes before the content of a file: one block, or three if USTAR cannot hold the path."""
    if len(path.encode()) <= tarfile.LENGTH_NAME:
        return tarfile.BLOCKSIZE
    member = tarfile.TarInfo(path)
    try:
        return len(member.tobuf(tarfile.USTAR_FORMAT))
    except ValueError:
        return len(member.tobuf(tarfile.PAX_FORMAT))


def _pad(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
