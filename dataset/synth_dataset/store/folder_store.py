"""Folder store: files first, the manifest last, each step atomic and durable."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from stat import S_ISDIR
from typing import TYPE_CHECKING, Final

from synth_api.errors import InputError, TryAgainError
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
"""Errors of file systems (SMB, FUSE) that cannot flush a folder, or a file that is open for reading."""


NO_LINK: Final = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES})
"""Errors of file systems without hard links, and of links between two of them."""
ANOTHER_FOLDER: Final = "choose another with --out"


class StoreFullError(OSError, TryAgainError):
    """The disk is full; the run fails and leaves no partial files."""

    def __str__(self) -> str:
        return str(self.strerror)


class FolderStore(Store):
    """Store in the local folder `root`; unfinished files are in `scratch`, on the same file system."""

    def __init__(self, root: Path, scratch: Path | None = None) -> None:
        self.root = root
        self._scratch = scratch or root / layout.SCRATCH

    def check_writable(self, remedy: str = ANOTHER_FOLDER) -> None:
        """Create the folder and test the operations that a store needs from its file system.

        Raises InputError that names the failing operation and ends with `remedy`.
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
            raise explain_unusable_folder(self.root, error, need, remedy) from error

    @property
    def location(self) -> str:
        """Path of the folder."""
        return str(self.root)

    def _exists(self, path: str) -> bool:
        """Return True if a file exists, by one `stat`."""
        return os.path.isfile(f"{self.root}/{path}")

    def _read_size(self, path: str) -> int:
        """Return the size of a file in bytes. Raises FileNotFoundError."""
        return (self.root / path).stat().st_size

    def _read(self, path: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError that names it."""
        with open(f"{self.root}/{path}", "rb") as stream:
            return stream.read()

    def _read_part(self, path: str, start: int, length: int) -> bytes:
        """Return `length` bytes of a file from `start`, fewer at its end. Raises FileNotFoundError."""
        with open(f"{self.root}/{path}", "rb") as stream:
            stream.seek(start)
            return stream.read(length)

    def read_shards_time(self) -> int:
        """Return when a file of a shard was last created or removed, in nanoseconds since the epoch; 0 without any."""
        try:
            return os.stat(f"{self.root}/{layout.SHARDS}").st_mtime_ns
        except FileNotFoundError:
            return 0

    def list_children(self, path: str) -> Iterator[Child]:
        """Yield the files and folders directly below a folder."""
        for entry in list_entries(self.root / path):
            yield Child(entry.name, entry.is_dir())

    def iterate_files(self, path: str) -> Iterator[str]:
        """Yield the paths of all files below a folder."""
        for child in self.list_children(path):
            if child.is_folder:
                yield from self.iterate_files(f"{path}/{child.name}")
            else:
                yield f"{path}/{child.name}"

    def _list_sizes(self, path: str) -> dict[str, int]:
        """Return the size in bytes of each file below a folder, by path relative to the folder."""
        found = {}
        for entry in list_entries(self.root / path):
            if entry.is_dir():
                below = self._list_sizes(f"{path}/{entry.name}")
                found.update({f"{entry.name}/{name}": size for name, size in below.items()})
            elif entry.is_file():
                found[entry.name] = entry.stat().st_size
        return found

    def measure_usage(self, path: str) -> StorageUsage:
        """Return total size and last change; the times of folders count too."""
        size, newest, paths = 0, 0.0, [f"{self.root}/{path}"]
        while paths:
            with suppress(FileNotFoundError):  # just removed
                status = os.lstat(path := paths.pop())
                newest = max(newest, status.st_mtime)
                if S_ISDIR(status.st_mode):
                    paths.extend(f"{path}/{name}" for name in os.listdir(path))
                else:
                    size += status.st_size
        return StorageUsage(size, newest)

    def remove_files(self, paths: Iterable[str]) -> None:
        """Remove files in order, each durably."""
        for path in paths:
            file = self.root / path
            file.unlink(missing_ok=True)
            if file.parent.is_dir():
                sync_folder(file.parent)

    def remove_folder(self, path: str) -> None:
        """Move a folder to scratch in one step, then delete it, so that a killed process leaves only garbage."""
        folder = self.root / path
        if folder.is_dir():
            removed = self.new_scratch("removed")
            folder.rename(removed / folder.name)
            shutil.rmtree(removed, ignore_errors=True)

    def run_folder(self, manifest: Manifest) -> Path:
        """Return the folder with the files of a run."""
        return self.root / layout.run_path(manifest.key, manifest.c8)

    @contextmanager
    def open_scratch(self, key: str) -> Iterator[Path]:
        """Create a folder in the store for the `with` block; only a killed process leaves it, as garbage.

        Raises StoreFullError if the block fills the disk.
        """
        with explain_full_disk(self.root):
            folder = self.new_scratch(key)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def place_folder(self, folder: Path, path: str) -> None:
        """Move a scratch folder to `path` in one step. Raises StoreFullError."""
        with explain_full_disk(self.root):
            sync_files(folder)
            target = self.root / path
            make_folders(target.parent)
            folder.rename(target)
            sync_folder(target.parent)

    def _commit_run(self, folder: Path, record: RunRecord) -> Manifest:
        """Hash the files of `folder`, move it into the run's folder, write the manifest last, atomically.

        Two workers may commit the same run: each moves its own folder, the manifest names one of them. Raises
        StoreFullError; then no manifest was written.
        """
        with explain_full_disk(self.root):
            sync_files(folder)
            files = hash_files(folder)
            c8 = layout.compute_content_id((file.path, file.sha256) for file in files)
            self._move_run(folder, self.root / layout.run_path(record.key, c8), files)
            manifest = Manifest.from_record(record, c8, files)
            self.write(layout.manifest_path(record.key), manifest.to_json())
            return manifest

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Replace a file atomically and durably; `content` may be an iterable of parts.

        The temporary file is in scratch, so that no listing shows it. Raises StoreFullError.
        """
        with explain_full_disk(self.root):
            target = self.root / path
            make_folders(target.parent)
            with self._write_temporary(content) as temporary:
                os.replace(temporary, target)
            sync_folder(target.parent)

    def write_new(self, path: str, content: bytes) -> bool:
        """Create a file durably unless it exists; return False if it does. Raises StoreFullError."""
        with explain_full_disk(self.root):
            target = self.root / path
            make_folders(target.parent)
            try:
                with self._write_temporary(content) as temporary:
                    _place_new(temporary, target)
            except FileExistsError:
                return False
            sync_folder(target.parent)
            return True

    @contextmanager
    def _write_temporary(self, content: bytes | Iterable[bytes]) -> Iterator[Path]:
        """Write a file in scratch for the `with` block, which may move it."""
        temporary = self._new_name("file")
        try:
            with temporary.open("xb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                sync_open_file(file.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def new_scratch(self, prefix: str) -> Path:
        """Create a folder in scratch that the caller removes; a killed process leaves it as garbage.

        Its permissions follow the umask, unlike those of `tempfile`: other users of a group may delete it.
        """
        folder = self._new_name(prefix)
        folder.mkdir()
        return folder

    def _new_name(self, prefix: str) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch / f"{prefix}-{token_hex(8)}"

    def open_folder(self, path: str) -> FolderStore:
        """Return a folder of the store, with the scratch of the store."""
        return FolderStore(self.root / path, self._scratch)

    def _move_run(self, folder: Path, target: Path, files: tuple[File, ...]) -> None:
        make_folders(target.parent)
        if target.exists() and hash_files(target) == files:
            os.utime(target)  # young again: garbage collection keeps it until its manifest exists
            return
        if target.exists():
            target.rename(self.new_scratch("damaged") / "damaged")
        try:
            folder.rename(target)
        except OSError as error:
            # Another worker was faster and has written the same content.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        sync_folder(target.parent)


def _place_new(temporary: Path, target: Path) -> None:
    """Give a file a name that none has. Raises FileExistsError; without hard links, not in the same moment."""
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        if target.exists():
            raise FileExistsError(target) from error
        os.replace(temporary, target)


def explain_unusable_folder(
    root: Path, error: OSError, need: str = "be written", remedy: str = ANOTHER_FOLDER
) -> InputError:
    """Return the error for an unusable dataset folder; `need` follows "cannot" in its sentence."""
    return InputError(str(root), f"the dataset folder cannot {need} ({error.strerror}); {remedy}")


@contextmanager
def explain_full_disk(root: Path) -> Iterator[None]:
    """Raise StoreFullError instead of an OSError of a full disk or quota."""
    try:
        yield
    except StoreFullError:
        raise
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        problem = f"no space is left in the dataset folder {root}; free some and call again: finished runs are kept"
        raise StoreFullError(error.errno, problem) from error


def sync_files(folder: Path) -> None:
    """Flush a folder with its content to disk."""
    for path in folder.rglob("*"):
        sync_folder(path)
    sync_folder(folder)


def list_entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a folder; none if it does not exist."""
    try:
        scan = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with scan:
        yield from scan


def make_folders(folder: Path) -> None:
    """Create a folder and its missing parents, each durably."""
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush a file or the entries of a folder to disk, as far as the file system supports it."""
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
    """Flush an open file or folder to disk; do nothing on a file system without that."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
