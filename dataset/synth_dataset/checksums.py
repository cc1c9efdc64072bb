"""What a folder's files hash to."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from synth_dataset.manifest import File

if TYPE_CHECKING:
    from pathlib import Path


def hash_files(folder: Path) -> tuple[File, ...]:
    """All files below a folder, by path."""
    return tuple(sorted((_file(path, folder) for path in folder.rglob("*") if path.is_file()), key=_path))


def _file(path: Path, folder: Path) -> File:
    with path.open("rb") as stream:
        digest = sha256()
        while block := stream.read(1 << 20):
            digest.update(block)
        return File(path=path.relative_to(folder).as_posix(), bytes=stream.tell(), sha256=digest.hexdigest())


def _path(file: File) -> str:
    return file.path
