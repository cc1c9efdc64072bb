"""Folders in which numba and Blender store files: replacements for default folders that are not writable."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISDIR
from typing import TYPE_CHECKING, Final

from synth_api.temporary import find_temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE: Final = Path(__file__).parents[1]


def choose_library_folders(environment: Mapping[str, str], temporary: Path) -> dict[str, str]:
    """Return environment variables of a home folder and a cache for numba, for those that are not writable.

    The home folder is `temporary`. The cache also serves later processes: it is below the system's folder for
    temporary files, or in `temporary` if that is not writable.
    """
    variables = {}
    if not _is_writable(Path(environment.get("HOME", ""))):
        variables["HOME"] = str(temporary)
    if not all(map(_is_writable, _list_kernel_folders())) and not any(
        map(_is_writable, _list_user_folders(environment))
    ):
        variables["NUMBA_CACHE_DIR"] = str(_make_private_folder() or temporary / "kernels")
    return variables


def _list_kernel_folders() -> Iterator[Path]:
    """Yield numba's default folders for compiled kernels: beside the modules."""
    return (module.parent / "__pycache__" for module in PACKAGE.rglob("__init__.py"))


def _list_user_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield NUMBA_CACHE_DIR, and the user's cache folder, to which numba falls back."""
    if given := environment.get("NUMBA_CACHE_DIR"):
        yield Path(given).absolute()
    if cache := environment.get("XDG_CACHE_HOME"):
        yield Path(cache)
    elif home := environment.get("HOME"):
        yield Path(home, ".cache")


def _is_writable(folder: Path) -> bool:
    """Return True if files can be created in an absolute folder, or the folder itself."""
    existing = next((each for each in (folder, *folder.parents) if os.path.exists(each)), folder)
    if folder.is_absolute():
        with suppress(OSError), tempfile.TemporaryFile(dir=existing):
            return True
    return False


def _make_private_folder() -> Path | None:
    """Return a folder that only this user can write, because code is loaded from it; None if there is none."""
    with suppress(OSError):
        place = find_temporary_folder()
        if place == Path.cwd():  # Python's last resort, where nothing should be left
            return None
        folder = place / f"synth-kernels-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not S_IMODE(status.st_mode) & 0o077:
            return folder
    return None
