"""Indexes of shards that cannot be read, written again from the manifests in the tar files."""

from __future__ import annotations

import tarfile
from io import BufferedReader
from typing import TYPE_CHECKING, Final

from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.run_manifest import parse_manifest
from synth_dataset.documents.shard_index import (
    build_index,
    compute_tar_bytes,
    encode_index,
    measure_members,
    name_shard,
    parse_index,
)
from synth_dataset.store.stored_file import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from synth_dataset.store.base import Store

_BUFFER_BYTES: Final = 1 << 20


def restore_indexes(store: Store) -> dict[str, bool]:
    """Write the indexes again that cannot be read; return their paths, with False for one that was removed.

    That is one whose tar file is missing or damaged too: its runs are missing from then on. Raises StoreError.
    """
    damaged = [name for name in layout.list_shards(store.list_sizes(layout.SHARDS)) if not _is_readable(store, name)]
    restored = {}
    for name in damaged:
        index = _rebuild_index(store, name)
        path = layout.shard_index_path(name)
        restored[path] = index is not None
        if index is None:
            store.remove_files([path])
        else:
            store.write(path, encode_index(index))
    if damaged:
        store.shards.expire()
    return restored


def _is_readable(store: Store, name: str) -> bool:
    path = layout.shard_index_path(name)
    try:
        parse_index(store.read(path), path)
    except DocumentError:
        return False
    except FileNotFoundError:  # just removed
        pass
    return True


def _rebuild_index(store: Store, name: str) -> NDArray[np.void] | None:
    """Return the index that the manifests in a tar file give; None unless the tar file is whole.

    The name of a shard is the hash of its manifests, so a damaged one is noticed.
    """
    tar = layout.shard_path(name)
    try:
        manifests = dict(sorted(_iterate_manifests(store, tar)))
        index = build_index(_measure_run(key, content) for key, content in manifests.items())
        is_whole = name_shard(manifests.values()) == name and compute_tar_bytes(index) == store.read_size(tar)
    except (OSError, tarfile.TarError, DocumentError, ValueError):
        return None
    return index if is_whole else None


def _iterate_manifests(store: Store, tar: str) -> Iterator[tuple[str, bytes]]:
    """Yield key and content of the manifests in a tar file."""
    stream = BufferedReader(StoredFile(store, tar), _BUFFER_BYTES)
    with stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            if member.name.startswith(f"{layout.MANIFESTS}/") and (file := archive.extractfile(member)):
                yield layout.parse_key(member.name), file.read()


def _measure_run(key: str, content: bytes) -> tuple[str, str, int, int]:
    """Return a run as `build_index` takes it."""
    manifest = parse_manifest(content, layout.manifest_path(key))
    return key, manifest.c8, measure_members(manifest), len(content)
