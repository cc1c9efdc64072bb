"""The place that an export is written to: a folder or a prefix of a bucket, and files that runs already have."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from synth_api.errors import InputError
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError
from synth_dataset.documents.remedies import REPAIR_RUN
from synth_dataset.documents.run_manifest import File
from synth_dataset.documents.safe_paths import check_stored_path
from synth_dataset.store.folder_store import NO_LINK, FolderStore, explain_full_disk, make_folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from synth_dataset.exports.options import Link
    from synth_dataset.store.base import Store

WORK: Final = ".export"
PART_BYTES: Final = 16 << 20


@dataclass(frozen=True)
class Target:
    """Store that receives an export; `link` says how a file that a run has gets there."""

    store: Store
    link: Link = "auto"
    work: str = WORK
    """Folder of records and fragments of chunks."""

    def name_work(self, identity: str) -> Target:
        """Return the target with the folder of an export's identity for unfinished work."""
        return replace(self, work=f"{WORK}/{identity[:16]}")

    def write(self, path: str, content: bytes | Iterable[bytes]) -> File:
        """Create or replace a file in one step. Raises StoreFullError, StoreError."""
        digest, size = sha256(), 0

        def iterate() -> Iterator[bytes]:
            nonlocal size
            for part in [content] if isinstance(content, bytes) else content:
                digest.update(part)
                size += len(part)
                yield part

        self.store.write(check_stored_path(path), iterate())
        return File(path=path, bytes=size, sha256=digest.hexdigest())

    def write_from(self, path: str, file: Path) -> File:
        """Create or replace a file with the content of a local one."""
        return self.write(path, _read_parts(file))

    def place(self, path: str, source: Store, source_path: str, file: File) -> File:
        """Create a file with the content of one that a run has, by a hard link if possible and wanted.

        Raises FileNotFoundError, and DocumentError if the file is not that of the manifest.
        """
        placed = File(path=check_stored_path(path), bytes=file.bytes, sha256=file.sha256)
        if self.link != "copy" and self._try_link(path, source, source_path, file.bytes):
            return placed
        content = source.read(source_path)
        if sha256(content).hexdigest() != file.sha256:
            raise _describe_damage(source, source_path)
        self.store.write(path, content)
        return placed

    def _try_link(self, path: str, source: Store, source_path: str, size: int) -> bool:
        """Return False if a copy has to do. Raises InputError if the options want links alone."""
        if not (isinstance(source, FolderStore) and isinstance(self.store, FolderStore)):
            if self.link == "hard":
                raise InputError("--link", "'hard' needs a dataset and an export in folders; take auto or copy")
            return False
        if source.shards.locate(source_path) is not None:
            if self.link == "hard":
                raise InputError("--link", "'hard' needs runs as files, and some are in shards; take auto or copy")
            return False
        if source.read_size(source_path) != size:
            raise _describe_damage(source, source_path)
        try:
            with explain_full_disk(self.store.root):
                _replace_by_link(source.root / source_path, self.store.root / path)
        except OSError as error:
            if error.errno not in NO_LINK or self.link == "hard":
                problem = f"'hard': {path} cannot be linked ({error.strerror}); take auto or copy"
                raise InputError("--link", problem) if error.errno in NO_LINK else error from error
            return False
        return True

    def remove_working_files(self) -> None:
        """Remove the folder of unfinished work, and scratch if it is empty."""
        self.store.remove_folder(WORK)
        if isinstance(self.store, FolderStore):
            scratch = self.store.root / layout.SCRATCH
            if scratch.is_dir() and not any(scratch.iterdir()):
                scratch.rmdir()


def _replace_by_link(existing: Path, new: Path) -> None:
    """Link `new` to the content of `existing`, in one step where `new` is another file."""
    make_folders(new.parent)
    try:
        os.link(existing, new)
        return
    except FileExistsError:
        if new.samefile(existing):
            return
    temporary = new.with_name(f".{new.name}.part")
    temporary.unlink(missing_ok=True)
    os.link(existing, temporary)
    os.replace(temporary, new)


def _read_parts(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while part := stream.read(PART_BYTES):
            yield part


def _describe_damage(source: Store, path: str) -> DocumentError:
    problem = f"is not the file that the manifest of its run names; {REPAIR_RUN}"
    return DocumentError(f"{source.format_uri(path)}: {problem}")
