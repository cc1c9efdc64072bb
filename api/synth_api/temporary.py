"""Folders for temporary files."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class TemporaryFolderError(OSError):
    """No folder for temporary files is writable; the message names the variable to set."""

    def __init__(self) -> None:
        super().__init__(
            f"no folder for temporary files can be written, or none has space: neither TMPDIR "
            f"({os.environ.get('TMPDIR') or 'not set'}) nor /tmp, /var/tmp, /usr/tmp or the working folder; "
            "set TMPDIR to a folder that can be written"
        )


def find_temporary_folder() -> Path:
    """Return the folder that holds this machine's temporary files. Raises TemporaryFolderError."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise TemporaryFolderError from error


@contextmanager
def create_temporary_folder(prefix: str = "synth-") -> Iterator[Path]:
    """Create a folder that is removed on exit. Raises TemporaryFolderError."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=find_temporary_folder(), ignore_cleanup_errors=True) as folder:
        yield Path(folder)
