"""Folders in which numba and Blender keep things of their own: others, where the usual ones cannot be written."""

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
    """Variables for a process that renders: a home folder and a folder for compiled kernels, where it lacks one.

    The home folder lies in `temporary`. Kernels are for later processes too: they lie below the system's folder for
    temporary files, in `temporary` only where that cannot be written.
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
    """Where numba keeps kernels unless an environment variable says otherwise: beside the modules."""
    return (module.parent / "__pycache__" for module in PACKAGE.rglob("__init__.py"))


def _list_user_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """The folder that the user names for kernels; else the user's cache, which numba takes when the others fail."""
    if given := environment.get("NUMBA_CACHE_DIR"):
        yield Path(given).absolute()
    if cache := environment.get("XDG_CACHE_HOME"):
        yield Path(cache)
    elif home := environment.get("HOME"):
        yield Path(home, ".cache")


def _is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself; a relative one is nobody's."""
    existing = next((each for each in (folder, *folder.parents) if os.path.exists(each)), folder)
    if folder.is_absolute():
        with suppress(OSError), tempfile.TemporaryFile(dir=existing):
            return True
    return False


def _make_private_folder() -> Path | None:
    """A folder that only this user can write, since code is loaded from it; None without one."""
    with suppress(OSError):
        place = find_temporary_folder()
        if place == Path.cwd():  # Python's last resort; not a place to leave something
            return None
        folder = place / f"synth-kernels-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not S_IMODE(status.st_mode) & 0o077:
            return folder
    return None
