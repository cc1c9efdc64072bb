"""A store in a local folder. Nothing in it is ever half-visible: files first, the manifest last."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from synth_api.errors import InputError
from synth_dataset import layout
from synth_dataset.manifest import DocumentError, File, Manifest, RunRecord, parse_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class StoreFullError(OSError):
    """No space is left; the run fails, nothing half-written of it stays."""

    def __str__(self) -> str:
        return str(self.strerror)


class Store(Protocol):
    """What a folder and a bucket have in common."""

    def has(self, key: str) -> bool:
        """Whether the run exists."""

    def manifest(self, key: str) -> Manifest:
        """The run's manifest. Raises KeyError without one, DocumentError when it does not parse."""

    def keys(self) -> Iterator[str]:
        """The keys of all runs that exist, in any order, streamed."""

    def scratch(self, key: str) -> AbstractContextManager[Path]:
        """A local folder that vanishes on any exit."""

    def commit(self, folder: Path, record: RunRecord) -> Manifest:
        """Make the files of `folder` the run's, then write its manifest."""


class FolderStore:
    """The layout of a store below the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def check_writable(self) -> None:
        """Create the folder and try it. Raises InputError naming folder and remedy."""
        try:
            scratch = self.root / layout.SCRATCH
            scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=scratch) as file:
                file.write(b"\0")
        except OSError as error:
            problem = f"the dataset folder cannot be written ({error.strerror}); choose another with --out"
            raise InputError(str(self.root), problem) from error

    def has(self, key: str) -> bool:
        """Whether the run exists: one stat."""
        return os.path.exists(f"{self.root}/{layout.manifest_path(key)}")

    def manifest(self, key: str) -> Manifest:
        """The run's manifest. Raises KeyError without one, DocumentError when it does not parse or is another run's."""
        path = self.root / layout.manifest_path(key)
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        manifest = parse_document(Manifest, text, path)
        if manifest.key != key:
            raise DocumentError(f"{path}: is the manifest of run {manifest.key}; restore the file or remove it")
        return manifest

    def keys(self) -> Iterator[str]:
        """The keys of all runs that exist, in any order; memory does not grow with their number."""
        for folder in entries(self.root / layout.MANIFESTS):
            for file in entries(Path(folder.path)):
                if file.name.endswith(".json"):
                    yield file.name.removesuffix(".json")

    def run_folder(self, manifest: Manifest) -> Path:
        """Where a run's files lie."""
        return self.root / layout.run_path(manifest.key, manifest.c8)

    @contextmanager
    def scratch(self, key: str) -> Iterator[Path]:
        """A new folder on the store's file system that vanishes on any exit; a killed process leaves garbage.

        Raises StoreFullError when the body runs out of space.
        """
        with full_disk_explained(self.root):
            base = self.root / layout.SCRATCH
            base.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f"{key}-", dir=base))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def commit(self, folder: Path, record: RunRecord) -> Manifest:
        """Hash the files of `folder`, move it to its place, then write the manifest, atomically and last.

        Two workers on one run are harmless: each moves its own folder, the manifest names one of them. Raises
        StoreFullError; then no manifest was written.
        """
        with full_disk_explained(self.root):
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
        scratch = self.root / layout.SCRATCH
        scratch.mkdir(parents=True, exist_ok=True)
        target = self.root / path
        make_folders(target.parent)
        handle, temporary = tempfile.mkstemp(dir=scratch)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync_folder(target.parent)

    def _move(self, folder: Path, target: Path, files: tuple[File, ...]) -> None:
        make_folders(target.parent)
        folder.chmod(0o755)
        if target.exists() and hash_files(target) == files:
            os.utime(target)  # young again, so that no garbage collection takes it before its manifest is there
            return
        if target.exists():
            target.rename(Path(tempfile.mkdtemp(dir=self.root / layout.SCRATCH)) / "damaged")
        try:
            folder.rename(target)
        except OSError as error:
            # Another worker with the same content was quicker: its folder is as good as ours.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        sync_folder(target.parent)


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


def hash_files(folder: Path) -> tuple[File, ...]:
    """All files below a folder, by path, flushed to disk, as are their folders."""
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)
            continue
        with path.open("rb") as stream:
            digest = sha256()
            while block := stream.read(1 << 20):
                digest.update(block)
            os.fsync(stream.fileno())
            size = stream.tell()
        files.append(File(path=path.relative_to(folder).as_posix(), bytes=size, sha256=digest.hexdigest()))
    sync_folder(folder)
    return tuple(sorted(files, key=lambda file: file.path))


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and flush it to disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


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


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
