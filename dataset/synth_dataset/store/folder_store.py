"""A store in a local folder: files first, the manifest last, each step atomic and durable."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from stat import S_ISDIR
from typing import TYPE_CHECKING, Final

from synth_api.errors import InputError, UnavailableError
from synth_dataset.documents import layout
from synth_dataset.documents.run_manifest import Manifest
from synth_dataset.store.base import Child, StorageUsage, Store
from synth_dataset.store.checksums import hash_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from synth_dataset.documents.run_manifest import File, RunRecord

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_SYNC: Final = frozenset(
    {
        errno.EINVAL,
        errno.ENOTSUP,
        errno.EOPNOTSUPP,
        errno.ENOSYS,
        errno.EBADF,
        errno.EACCES,
        errno.EPERM,
        errno.EISDIR,
        errno.ENOTTY,
    }
)
"""How file systems (SMB, FUSE) say that they cannot flush a folder, or a file that is open for reading."""


ANOTHER_FOLDER: Final = "choose another with --out"


class StoreFullError(OSError, UnavailableError):
    """No space is left; the run fails, nothing half-written of it stays."""

    def __str__(self) -> str:
        return str(self.strerror)


class FolderStore(Store):
    """The layout of a store below the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def check_writable(self, remedy: str = ANOTHER_FOLDER) -> None:
        """Create the folder and try what a store needs of its file system.

        Raises InputError that says what fails and ends with `remedy`.
        """
        need = "be written"
        try:
            probe = self.new_scratch("probe")
            try:
                (probe / "file").write_bytes(b"old")
                (probe / "new").write_bytes(b"new")
                need = "replace a file, which a store needs"
                os.replace(probe / "new", probe / "file")
                need = "rename a folder, which a store needs"
                (probe / "folder").mkdir()
                (probe / "folder" / "file").write_bytes(b"")
                (probe / "folder").rename(probe / "renamed")
            finally:
                shutil.rmtree(probe, ignore_errors=True)
        except OSError as error:
            raise unusable_folder(self.root, error, need, remedy) from error

    @property
    def location(self) -> str:
        """The folder."""
        return str(self.root)

    def exists(self, path: str) -> bool:
        """Whether there is a file: one stat."""
        return os.path.isfile(f"{self.root}/{path}")

    def size(self, path: str) -> int:
        """Bytes of a file. Raises FileNotFoundError."""
        return (self.root / path).stat().st_size

    def read(self, path: str) -> bytes:
        """A file. Raises FileNotFoundError naming it."""
        return (self.root / path).read_bytes()

    def read_part(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of a file from `start`, fewer at its end. Raises FileNotFoundError."""
        with (self.root / path).open("rb") as stream:
            stream.seek(start)
            return stream.read(length)

    def children(self, path: str) -> Iterator[Child]:
        """What lies directly below a folder, streamed."""
        for entry in entries(self.root / path):
            yield Child(entry.name, entry.is_dir())

    def files(self, path: str) -> Iterator[str]:
        """The paths of all files below a folder, streamed."""
        for child in self.children(path):
            if child.is_folder:
                yield from self.files(f"{path}/{child.name}")
            else:
                yield f"{path}/{child.name}"

    def sizes(self, path: str) -> dict[str, int]:
        """Bytes of each file below a folder, by its path there."""
        found = {}
        for entry in entries(self.root / path):
            if entry.is_dir():
                below = self.sizes(f"{path}/{entry.name}")
                found.update({f"{entry.name}/{name}": size for name, size in below.items()})
            elif entry.is_file():
                found[entry.name] = entry.stat().st_size
        return found

    def usage(self, path: str) -> StorageUsage:
        """Of a folder also its own time and those of the folders in it count."""
        found = [_status(entry) for entry in (self.root / path, *(self.root / path).rglob("*"))]
        size = sum(status.st_size for status in found if status and not S_ISDIR(status.st_mode))
        return StorageUsage(size, max(status.st_mtime if status else 0.0 for status in found))

    def remove_files(self, paths: Iterable[str]) -> None:
        """Remove files, each durably."""
        for path in paths:
            file = self.root / path
            file.unlink(missing_ok=True)
            if file.parent.is_dir():
                sync_folder(file.parent)

    def remove_folder(self, path: str) -> None:
        """Remove a folder: out of sight in one step, so that a kill half-way leaves garbage and no half of it."""
        folder = self.root / path
        if folder.is_dir():
            grave = self.new_scratch("removed")
            folder.rename(grave / folder.name)
            shutil.rmtree(grave, ignore_errors=True)

    def run_folder(self, manifest: Manifest) -> Path:
        """Where a run's files lie."""
        return self.root / layout.run_path(manifest.key, manifest.c8)

    @contextmanager
    def scratch(self, key: str) -> Iterator[Path]:
        """A new folder on the store's file system that vanishes on any exit; a killed process leaves garbage.

        Raises StoreFullError when the body runs out of space.
        """
        with full_disk_explained(self.root):
            folder = self.new_scratch(key)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def place(self, folder: Path, path: str) -> None:
        """Move a scratch folder to its place, in one step. Raises StoreFullError."""
        with full_disk_explained(self.root):
            sync_files(folder)
            target = self.root / path
            make_folders(target.parent)
            folder.rename(target)
            sync_folder(target.parent)

    def commit(self, folder: Path, record: RunRecord) -> Manifest:
        """Hash the files of `folder`, move it to its place, then write the manifest, atomically and last.

        Two workers on one run are harmless: each moves its own folder, the manifest names one of them. Raises
        StoreFullError; then no manifest was written.
        """
        with full_disk_explained(self.root):
            sync_files(folder)
            files = hash_files(folder)
            c8 = layout.content_id((file.path, file.sha256) for file in files)
            self._move(folder, self.root / layout.run_path(record.key, c8), files)
            manifest = Manifest.of(record, c8, files)
            self.write(layout.manifest_path(record.key), manifest.to_json())
            return manifest

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Replace a file atomically and durably, with pieces as they come.

        The temporary file lies in scratch, so a listing never sees it.
        """
        target = self.root / path
        make_folders(target.parent)
        temporary = self._new_name("file")
        try:
            with temporary.open("xb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                sync_open_file(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)

    def new_scratch(self, prefix: str) -> Path:
        """A new folder in scratch, for the caller to remove; a killed process leaves it as garbage.

        Its rights are those of the umask, unlike with `tempfile`: other users of a group may collect it.
        """
        folder = self._new_name(prefix)
        folder.mkdir()
        return folder

    def _new_name(self, prefix: str) -> Path:
        scratch = self.root / layout.SCRATCH
        scratch.mkdir(parents=True, exist_ok=True)
        return scratch / f"{prefix}-{token_hex(8)}"

    def _move(self, folder: Path, target: Path, files: tuple[File, ...]) -> None:
        make_folders(target.parent)
        if target.exists() and hash_files(target) == files:
            os.utime(target)  # young again, so that no garbage collection takes it before its manifest is there
            return
        if target.exists():
            target.rename(self.new_scratch("damaged") / "damaged")
        try:
            folder.rename(target)
        except OSError as error:
            # Another worker with the same content was quicker: its folder is as good as ours.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        sync_folder(target.parent)


def unusable_folder(root: Path, error: OSError, need: str = "be written", remedy: str = ANOTHER_FOLDER) -> InputError:
    """The sentence for a dataset folder that cannot do what a store needs, `need` after "cannot"."""
    return InputError(str(root), f"the dataset folder cannot {need} ({error.strerror}); {remedy}")


@contextmanager
def full_disk_explained(root: Path) -> Iterator[None]:
    """Turn an OSError for want of space into a StoreFullError."""
    try:
        yield
    except StoreFullError:
        raise
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        problem = f"no space is left in the dataset folder {root}; free some and call again: what is done stays"
        raise StoreFullError(error.errno, problem) from error


def sync_files(folder: Path) -> None:
    """Flush everything below a folder, and the folder, to disk."""
    for path in folder.rglob("*"):
        sync_folder(path)
    sync_folder(folder)


def entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder, streamed; none when it does not exist."""
    try:
        scan = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with scan:
        yield from scan


def make_folders(folder: Path) -> None:
    """Create a folder and its parents, each durably."""
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def _status(path: Path) -> os.stat_result | None:
    """None when it has just gone."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, or a file, to disk, as far as its file system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in _NO_SYNC or not folder.is_dir():
            raise
        return
    try:
        sync_open_file(handle)
    finally:
        os.close(handle)


def sync_open_file(handle: int) -> None:
    """Flush an open file or folder to disk; on a file system that cannot, what is written is as durable as it gets."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
