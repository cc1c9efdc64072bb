"""Archives of folders, which appear whole in a shared folder, and whose bytes together have a bound."""

from __future__ import annotations

import os
import shutil
import tarfile
import time
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX: Final = ".tar.zst"
_PART: Final = ".part"
_MAX_PART_AGE_SECONDS: Final = 3600.0
"""A part of an archive that is older belongs to a process that died."""


class DamagedArchiveError(Exception):
    """A file that is no archive, or only a part of one."""


def unpack_archive(archive: Path, folder: Path) -> None:
    """Unpack an archive into a new folder. Raises OSError, and DamagedArchiveError for another content."""
    with archive.open("rb") as file:
        try:
            with pa.CompressedInputStream(file, "zstd") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
                folder.mkdir(parents=True)
                for member in tar:
                    _extract_member(tar, member, folder)
        except (tarfile.TarError, EOFError) as error:
            raise DamagedArchiveError from error
        except OSError as error:
            if error.errno is None:  # what the decompression says of other bytes
                raise DamagedArchiveError from error
            raise
    with suppress(OSError):
        os.utime(archive)  # the time of its last use


def _extract_member(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a file or make a folder; refuse all else, and what lies outside. Debian's Python 3.11.2 has no filters."""
    path = PurePosixPath(member.name)
    content = tar.extractfile(member) if member.isreg() else None
    if path.is_absolute() or ".." in path.parts or not (content or member.isdir()):
        raise DamagedArchiveError(f"'{member.name}' is neither a file nor a folder of the archive")
    target = folder / path
    if content is None:
        target.mkdir(parents=True, exist_ok=True)
        return
    with target.open("xb") as file:
        shutil.copyfileobj(content, file)


def store_archive(folder: Path, archive: Path, max_bytes: int) -> None:
    """Move an archive of a folder into place, and remove those used longest ago until all take at most `max_bytes`.

    Raises OSError, also for an archive that alone is larger.
    """
    part = archive.with_name(f"{archive.name}.{uuid4().hex}{_PART}")
    try:
        _pack(folder, part)
        if (size := part.stat().st_size) > max_bytes:
            raise OSError(f"the archive of {size} bytes is larger than the bound of all, {max_bytes} bytes")
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)
    _remove_oldest(archive, max_bytes)
    _remove_old_parts(archive.parent)


def list_archives(folder: Path) -> list[Path]:
    """Return the archives in a folder; none if it cannot be read."""
    with suppress(OSError):
        return list(folder.glob(f"*{SUFFIX}"))
    return []


def _pack(folder: Path, archive: Path) -> None:
    """Write an archive of a folder, and wait until the volume has it."""
    with (
        archive.open("xb") as file,
        pa.CompressedOutputStream(file, "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|") as tar,
    ):
        tar.add(folder, arcname=".")
    with archive.open("rb") as written:  # the compression has closed the other one
        os.fsync(written.fileno())


def _remove_oldest(newest: Path, max_bytes: int) -> None:
    others = {path: path.stat() for path in list_archives(newest.parent) if path != newest}
    room = max_bytes - newest.stat().st_size
    for path, status in sorted(others.items(), key=lambda item: item[1].st_mtime, reverse=True):
        room -= status.st_size
        if room < 0:
            path.unlink(missing_ok=True)


def _remove_old_parts(folder: Path) -> None:
    for path in folder.glob(f"*{_PART}"):
        if time.time() - path.stat().st_mtime > _MAX_PART_AGE_SECONDS:
            path.unlink(missing_ok=True)
