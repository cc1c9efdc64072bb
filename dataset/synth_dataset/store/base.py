"""A store: one layout (`layout`) in a folder or in a bucket. Nothing in it is ever half-visible."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from synth_api.errors import UnavailableError
from synth_api.reasons import Reason
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError, TruncatedError, parse_document
from synth_dataset.documents.run_manifest import Manifest
from synth_dataset.store.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_dataset.documents.run_manifest import RunRecord


class StoreError(UnavailableError):
    """A store cannot be used: one word of the closed list and a sentence that names place and remedy, no credential."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later with no one's doing."""
        return self.reason in (Reason.STORE_UNREACHABLE, Reason.STORE_FULL, Reason.STORE_DAMAGED)


class Child(NamedTuple):
    """What lies directly below a folder."""

    name: str
    is_folder: bool


@dataclass(frozen=True)
class StorageUsage:
    """A file, or everything below a folder."""

    bytes: int
    newest: float
    """Seconds since the epoch of the last change; 0 when there is nothing."""


class Store(ABC):
    """What a folder and a bucket have in common. Paths are relative to the store, POSIX.

    Every method raises StoreError when a store beyond this machine cannot be used.
    """

    requests_at_once: ClassVar[int] = 1
    """Threads that reading many files is worth."""
    compared_at_most: ClassVar[int] = 10_000
    """Runs whose files are all compared with their manifests; of more it is seen only whether there are files."""

    @property
    @abstractmethod
    def location(self) -> str:
        """Where the store is, for people and documents."""

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether there is a file."""

    @abstractmethod
    def size(self, path: str) -> int:
        """Bytes of a file. Raises FileNotFoundError."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """A file. Raises FileNotFoundError naming it."""

    @abstractmethod
    def read_part(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes of a file from `start`, fewer at its end. Raises FileNotFoundError."""

    @abstractmethod
    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Make or replace a file in one step, of pieces as they come."""

    @abstractmethod
    def children(self, path: str) -> Iterator[Child]:
        """What lies directly below a folder, in any order; nothing when it does not exist."""

    @abstractmethod
    def files(self, path: str) -> Iterator[str]:
        """The paths of all files below a folder, in any order, streamed."""

    @abstractmethod
    def sizes(self, path: str) -> dict[str, int]:
        """Bytes of each file below a folder, by its path there."""

    @abstractmethod
    def usage(self, path: str) -> StorageUsage:
        """How large and how young a file or folder is."""

    @abstractmethod
    def remove_files(self, paths: Iterable[str]) -> None:
        """Remove files, in order; one that is gone already does not matter."""

    @abstractmethod
    def remove_folder(self, path: str) -> None:
        """Remove a folder with everything below it; one that is gone already does not matter."""

    @abstractmethod
    def scratch(self, key: str) -> AbstractContextManager[Path]:
        """A new local folder that vanishes on any exit."""

    @abstractmethod
    def place(self, folder: Path, path: str) -> None:
        """Put a scratch folder's files below `path`: in one step, or where that cannot be, in order of their names."""

    @abstractmethod
    def commit(self, folder: Path, record: RunRecord) -> Manifest:
        """Make the files of a scratch folder the run's, then write its manifest, in one step and last.

        Two workers on one run are harmless: each has its own folder, the manifest names one of them.
        """

    def uri(self, path: str) -> str:
        """A file's name for people and documents."""
        return f"{self.location}/{path}"

    def has(self, key: str) -> bool:
        """Whether the run exists."""
        return self.exists(layout.manifest_path(key))

    def present(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Which of these runs exist; keys are of type S32, the empty one is no run's."""
        return np.fromiter((bool(key) and self.has(layout.key_text(key)) for key in keys), np.bool_, len(keys))

    def lost(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Which of these runs, whose manifests are there, have lost files; keys are of type S32.

        Raises DocumentError as `has_lost_files`.
        """
        if len(keys) > self.compared_at_most:
            return ~self._with_files(keys)
        answers = read_ahead(self.has_lost_files, map(layout.key_text, keys), self.requests_at_once)
        return np.fromiter(answers, np.bool_, len(keys))

    def has_lost_files(self, key: str) -> bool:
        """Whether a file that the run's manifest names is gone or of another size, or the manifest is cut short.

        Raises DocumentError for a manifest of another run or another release.
        """
        try:
            manifest = self.manifest(key)
        except (KeyError, TruncatedError):
            return True
        sizes = self.sizes(layout.run_path(key, manifest.c8))
        return any(sizes.get(file.path) != file.bytes for file in manifest.files)

    def has_files(self, key: str) -> bool:
        """Whether the run has a folder with something in it."""
        return next(iter(self.children(layout.files_path(key))), None) is not None

    def _with_files(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """`has_files` of many runs."""
        return np.fromiter((self.has_files(layout.key_text(key)) for key in keys), np.bool_, len(keys))

    def manifest(self, key: str) -> Manifest:
        """The run's manifest. Raises KeyError without one, DocumentError when it does not parse or is another run's."""
        path = layout.manifest_path(key)
        try:
            text = self.read(path)
        except FileNotFoundError:
            raise KeyError(key) from None
        manifest = parse_document(Manifest, text, self.uri(path))
        if manifest.key != key:
            raise DocumentError(
                f"{self.uri(path)}: is the manifest of run {manifest.key}; restore the file or remove it"
            )
        return manifest

    def keys(self) -> Iterator[str]:
        """The keys of all runs that exist, in any order; memory does not grow with their number."""
        for path in self.files(layout.MANIFESTS):
            if path.endswith(".json"):
                yield path.rpartition("/")[2].removesuffix(".json")
