"""Stored files against size and sha256 of a document."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from synth_dataset.verification.fault import NOTHING, Checked, Fault, shorten_digest

if TYPE_CHECKING:
    from synth_dataset.documents.run_manifest import File
    from synth_dataset.store.base import Store

PART_BYTES: Final = 4 << 20
"""Bytes of a file in memory at once."""
_PROCESSORS: Final = len(os.sched_getaffinity(0))


def count_threads(store: Store) -> int:
    """Return how many threads read the files of a store: hashing releases the interpreter lock."""
    return max(store.max_requests, _PROCESSORS)


def compute_digest(store: Store, path: str, size: int | None = None) -> tuple[int, str]:
    """Return size in bytes and sha256 of a file, read in parts; `size` is what it should have.

    Raises FileNotFoundError, OSError, StoreError.
    """
    digest, start = sha256(), 0
    length = PART_BYTES if size is None else min(PART_BYTES, size + 1)
    while part := store.read_part(path, start, length):
        digest.update(part)
        start += len(part)
        if len(part) < length:
            break
    return start, digest.hexdigest()


def check_file(store: Store, path: str, file: File, remedy: str, run: int | None = None) -> Checked:
    """Read a file and compare it with its entry in a document. Raises StoreError."""
    try:
        size, digest = compute_digest(store, path, file.bytes)
    except FileNotFoundError:
        return Checked((describe_size(format_place(store, path), file.bytes, None, remedy, run),), 1)
    except OSError as error:
        found = f"one that cannot be read ({error.strerror})"
        return Checked((Fault(format_place(store, path), "a readable file", found, remedy, run),), 1)
    if size != file.bytes:
        return Checked((describe_size(format_place(store, path), file.bytes, size, remedy, run),), 1, size)
    if digest != file.sha256:
        return Checked((describe_digest(format_place(store, path), file.sha256, digest, remedy, run),), 1, size)
    return Checked((), 1, size)


def format_place(store: Store, path: str) -> str:
    """Return the address of a file: of a packed one that of the tar file, with its path there."""
    packed = store.shards.locate(path)
    return store.format_uri(path) if packed is None else f"{store.format_uri(packed.tar)} ({path})"


def describe_size(address: str, expected: int, found: int | None, remedy: str, run: int | None = None) -> Fault:
    """Return the fault of a file with another size in bytes; None is a missing one."""
    seen = NOTHING if found is None else f"{found:,} bytes"
    return Fault(address, f"{expected:,} bytes", seen, remedy, run)


def describe_digest(address: str, expected: str, found: str, remedy: str, run: int | None = None) -> Fault:
    """Return the fault of a file with another sha256."""
    return Fault(address, f"sha256 {shorten_digest(expected)}", shorten_digest(found), remedy, run)
