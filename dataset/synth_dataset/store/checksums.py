"""Checksums of files and uploads."""

from __future__ import annotations

from hashlib import md5, sha256
from typing import TYPE_CHECKING, BinaryIO

from synth_dataset.documents.run_manifest import File

if TYPE_CHECKING:
    from pathlib import Path


def hash_files(folder: Path) -> tuple[File, ...]:
    """Return size and sha256 of all files below a folder, sorted by path."""
    return tuple(sorted((_hash_file(path, folder) for path in folder.rglob("*") if path.is_file()), key=_get_path))


def compute_entity_tag(stream: BinaryIO, part_size: int) -> tuple[int, str]:
    """Return the size of a stream in bytes, and the S3 ETag of an unencrypted upload in parts of `part_size` bytes."""
    parts = []
    while part := stream.read(part_size):
        parts.append(md5(part, usedforsecurity=False))
    size = stream.tell()
    if len(parts) <= 1:
        return size, (parts[0] if parts else md5(usedforsecurity=False)).hexdigest()
    digests = b"".join(part.digest() for part in parts)
    return size, f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _hash_file(path: Path, folder: Path) -> File:
    with path.open("rb") as stream:
        digest = sha256()
        while block := stream.read(1 << 20):
            digest.update(block)
        return File(path=path.relative_to(folder).as_posix(), bytes=stream.tell(), sha256=digest.hexdigest())


def _get_path(file: File) -> str:
    return file.path
