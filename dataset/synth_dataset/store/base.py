"""Base class of stores: the same layout in a folder or a bucket. A file of it is visible only when it is complete."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import numpy as np

from synth_api.errors import TryAgainError
from synth_api.reasons import Reason
from synth_dataset.documents import layout
from synth_dataset.documents.document import DocumentError, TruncatedError
from synth_dataset.documents.run_manifest import parse_manifest
from synth_dataset.documents.stored_recipe import encode_recipe, rebuild_tree, refer_to
from synth_dataset.store.read_ahead import read_ahead
from synth_dataset.store.run_shards import Shards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from synth_dataset.documents.run_manifest import Manifest, RunRecord
    from synth_dataset.documents.stored_recipe import RecipeReference
    from synth_dataset.store.packed_run_table import Extent

_PACKED: Final = (f"{layout.RUNS}/", f"{layout.MANIFESTS}/")
"""Beginnings of the paths that shards may hold."""
RENEWAL_SECONDS: Final = 3600.0
"""A process that commits runs writes their recipe again after this time, far below the minimum age of garbage."""


class StoreError(TryAgainError):
    """A store cannot be used: a condition reason, and a sentence with place and remedy but without credentials."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason

    @property
    def is_passing(self) -> bool:
        """True if the same request may succeed later by itself."""
        return self.reason in (Reason.STORE_UNREACHABLE, Reason.STORE_FULL, Reason.STORE_DAMAGED)


class Child(NamedTuple):
    """File or folder directly below a folder."""

    name: str
    is_folder: bool


@dataclass(frozen=True)
class StorageUsage:
    """Size and age of a file, or of all files below a folder."""

    bytes: int
    newest: float
    """Time of the last change in seconds since the epoch; 0 if there is no file."""

    def join(self, other: StorageUsage) -> StorageUsage:
        """Return the usage of both together."""
        return StorageUsage(self.bytes + other.bytes, max(self.newest, other.newest))


def hash_sizes(c8: str, sizes: Iterable[tuple[str, int]]) -> int:
    """Return 64 bits of the sha256 over the content id of a run folder and the path and size of each of its files."""
    lines = (f"{size} {path}" for path, size in sorted(sizes))
    return int.from_bytes(sha256("\n".join((c8, *lines)).encode()).digest()[:8], "little")


class Store(ABC):
    """Store of runs and datasets. Paths are POSIX paths relative to the store.

    Methods of a remote store raise StoreError if it cannot be used.
    """

    max_requests: ClassVar[int] = 1
    """Number of threads for reading many files."""
    max_compared_runs: ClassVar[int] = 10_000
    """Up to so many runs, all files are compared with their manifests; of more, only the folder is checked."""

    @property
    @abstractmethod
    def location(self) -> str:
        """Address of the store, for messages and documents."""

    def exists(self, path: str) -> bool:
        """Return True if a file exists."""
        return self._locate(path) is not None or self._exists(path)

    def read_size(self, path: str) -> int:
        """Return the size of a file in bytes. Raises FileNotFoundError."""
        packed = self._locate(path)
        return self._read_size(path) if packed is None else packed.size

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError that names it."""
        return self._find_content(path, lambda: self.shards.read(path), lambda: self._read(path))

    def read_part(self, path: str, start: int, length: int) -> bytes:
        """Return `length` bytes of a file from `start`, fewer at its end. Raises FileNotFoundError."""
        return self._find_content(
            path, lambda: self.shards.read(path, start, length), lambda: self._read_part(path, start, length)
        )

    def _find_content(
        self, path: str, read_packed: Callable[[], bytes | None], read_plain: Callable[[], bytes]
    ) -> bytes:
        """Return what is read from shards, or else from files, which another process may have packed by then."""
        if not path.startswith(_PACKED):
            return read_plain()
        packed = read_packed()
        if packed is not None:
            return packed
        try:
            return read_plain()
        except FileNotFoundError:
            packed = read_packed() if self.shards.refresh_after_change() else None
            if packed is None:
                raise
            return packed

    def list_sizes(self, path: str) -> dict[str, int]:
        """Return the size in bytes of each file below a folder, by path relative to the folder."""
        if not path.startswith(_PACKED):
            return self._list_sizes(path)
        found = self._list_packed_sizes(path) or self._list_sizes(path)
        return found or (self._list_packed_sizes(path) if self.shards.refresh_after_change() else {})

    def _list_packed_sizes(self, path: str) -> dict[str, int]:
        return {name: extent.size for name, extent in self.shards.list_files(path).items()}

    def read_shards_time(self) -> int:
        """Return when the folder of shards was last changed; 0 in a bucket, where runs with files are never packed."""
        return 0

    @cached_property
    def shards(self) -> Shards:
        """The packed runs. Files of runs and manifests are read from there by their paths."""
        return Shards(self)

    def _locate(self, path: str) -> Extent | None:
        """Return where a packed file is; None for another."""
        return self.shards.locate(path) if path.startswith(_PACKED) else None

    @abstractmethod
    def _exists(self, path: str) -> bool:
        """Return True if there is a file that is not packed."""

    @abstractmethod
    def _read_size(self, path: str) -> int:
        """Return the size of a file that is not packed, as `read_size`."""

    @abstractmethod
    def _read(self, path: str) -> bytes:
        """Return the content of a file that is not packed, as `read`."""

    @abstractmethod
    def _read_part(self, path: str, start: int, length: int) -> bytes:
        """Return bytes of a file that is not packed, as `read_part`."""

    @abstractmethod
    def _list_sizes(self, path: str) -> dict[str, int]:
        """Return the sizes of files that are not packed, as `list_sizes`."""

    @abstractmethod
    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Create or replace a file in one step; `content` may be an iterable of parts."""

    @abstractmethod
    def write_new(self, path: str, content: bytes) -> bool:
        """Create a file in one step unless it exists; return False if it does, whoever has written it."""

    def write_file(self, path: str, file: Path) -> None:
        """Create or replace a file in one step with the content of a local file of any size."""
        with file.open("rb") as stream:
            self.write(path, iter(partial(stream.read, 1 << 20), b""))

    @abstractmethod
    def list_children(self, path: str) -> Iterator[Child]:
        """Yield the files and folders directly below a folder, in any order; none if it does not exist."""

    @abstractmethod
    def iterate_files(self, path: str) -> Iterator[str]:
        """Yield the paths of all files below a folder, in any order."""

    @abstractmethod
    def measure_usage(self, path: str) -> StorageUsage:
        """Return total size and last change of a file or folder."""

    @abstractmethod
    def remove_files(self, paths: Iterable[str]) -> None:
        """Remove files in order; ignore missing files."""

    @abstractmethod
    def remove_folder(self, path: str) -> None:
        """Remove a folder with its content; ignore a missing folder."""

    def remove_run_folders(self, folders: Iterable[str]) -> None:
        """Remove folders with files of runs, or with all files of a run each, in any order."""
        for _ in read_ahead(self.remove_folder, folders, self.max_requests):
            pass

    @abstractmethod
    def open_scratch(self, key: str) -> AbstractContextManager[Path]:
        """Create a local folder for the `with` block; it is deleted on any exit."""

    @abstractmethod
    def place_folder(self, folder: Path, path: str) -> None:
        """Move the files of a scratch folder below `path`, in one step or else in order of their names."""

    def commit_run(self, folder: Path, record: RunRecord) -> Manifest:
        """Move the files of a scratch folder into the run's folder; write the manifest last, in one step.

        Two workers may commit the same run: each has its own folder, the manifest names one of them. A packed run of
        that key is not read any more.
        """
        manifest = self._commit_run(folder, record)
        self.shards.hide(record.key)
        return manifest

    @abstractmethod
    def _commit_run(self, folder: Path, record: RunRecord) -> Manifest:
        """Commit a run as files, as `commit_run`."""

    @abstractmethod
    def open_folder(self, path: str) -> Store:
        """Return a folder of the store as a store of its own, which leaves no scratch in it."""

    def format_uri(self, path: str) -> str:
        """Return the address of a file, for messages and documents."""
        return f"{self.location}/{path}"

    def has_run(self, key: str) -> bool:
        """Return True if a run exists."""
        return self.exists(layout.manifest_path(key))

    def has_plain_run(self, key: str) -> bool:
        """Return True if a run exists that is not packed; the shards are not looked at."""
        return self._exists(layout.manifest_path(key))

    def find_present_runs(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return a mask (N,) of the existing runs among `keys` (N,), of type S32; the empty key belongs to no run."""
        self.shards.refresh()
        found = self.shards.contains(keys)
        found[~found] = self.find_plain_runs(keys[~found])
        return found

    def find_plain_runs(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return a mask (N,) of the runs among `keys` (N,) that have manifests of their own, as `find_present_runs`."""
        found = (bool(key) and self.has_plain_run(layout.format_key(key)) for key in keys)
        return np.fromiter(found, np.bool_, len(keys))

    def find_lost_runs(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return a mask (N,) of the runs that have lost files; all `keys` (N,), of type S32, have manifests.

        A packed run has its files as long as it exists. Raises DocumentError as `has_lost_files`.
        """
        is_lost = ~self.shards.contains(keys)
        plain = keys[is_lost]
        if len(plain) > self.max_compared_runs:
            is_lost[is_lost] = ~self._find_with_files(plain)
        else:
            answers = read_ahead(self.has_lost_files, map(layout.format_key, plain), self.max_requests)
            is_lost[is_lost] = np.fromiter(answers, np.bool_, len(plain))
        return is_lost

    def has_lost_files(self, key: str) -> bool:
        """Return True if a file of the manifest is missing or has another size, or the manifest is truncated.

        Raises DocumentError for a manifest of another run or another release.
        """
        try:
            manifest = self.read_manifest(key)
        except (KeyError, TruncatedError):
            return True
        return self.find_fault(manifest) is not None

    def find_fault(self, manifest: Manifest) -> str | None:
        """Return which file of a run is missing or has another size, in words; None if all are there."""
        packed = self.shards.find(manifest.key)
        if packed is not None and packed.c8 == manifest.c8:
            return None
        sizes = self.list_sizes(layout.run_path(manifest.key, manifest.c8))
        for file in manifest.files:
            size = sizes.get(file.path)
            if size is None:
                return f"its file {file.path} is missing"
            if size != file.bytes:
                return f"its file {file.path} has {size} bytes instead of {file.bytes}"
        return None

    def summarize_files(self, keys: NDArray[np.bytes_]) -> NDArray[np.uint64]:
        """Return `hash_sizes` (N,) of the folder of each run of `keys` (N,), of type S32, as far as it is cheap.

        0 for a run without folder or with several, and for all of a store that lists no more than one folder at once.
        """
        return np.zeros(len(keys), np.uint64)

    def has_files(self, key: str) -> bool:
        """Return True if a run is packed, or has a folder that is not empty."""
        return (
            self.shards.find(key) is not None
            or next(iter(self.list_children(layout.files_path(key))), None) is not None
        )

    def _find_with_files(self, keys: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return a mask (N,) of `has_files` for many runs."""
        return np.fromiter((self.has_files(layout.format_key(key)) for key in keys), np.bool_, len(keys))

    def read_manifest(self, key: str) -> Manifest:
        """Read the manifest of a run. Raises KeyError without one, DocumentError if it is invalid or another run's."""
        path = layout.manifest_path(key)
        try:
            text = self.read(path)
        except FileNotFoundError:
            raise KeyError(key) from None
        manifest = parse_manifest(text, self.format_uri(path))
        if manifest.key != key:
            raise DocumentError(
                f"{self.format_uri(path)}: is the manifest of run {manifest.key}; restore the file or remove it"
            )
        return manifest

    def keep_recipe(self, base: dict[str, Any], tree: dict[str, Any]) -> RecipeReference:
        """Store the canonical tree `base` for the runs that refer to it; return the reference of the run with `tree`.

        Called before the manifest of the run is written. The file is written again after RENEWAL_SECONDS: garbage
        collection spares young files, also before a manifest names them.
        """
        content = encode_recipe(base)
        reference = refer_to(content, tree)
        now = time.monotonic()
        if self._kept_recipes.get(reference.sha256, -RENEWAL_SECONDS) <= now - RENEWAL_SECONDS:
            self.write(layout.recipe_path(reference.sha256), content)
            self._kept_recipes[reference.sha256] = now
        return reference

    @cached_property
    def _kept_recipes(self) -> dict[str, float]:
        """Times of this process at which it has written recipes, by hash."""
        return {}

    def read_recipe(self, manifest: Manifest) -> dict[str, Any]:
        """Return the canonical tree of a run. Raises DocumentError if its stored recipe is missing or another one."""
        reference = manifest.recipe
        if isinstance(reference, dict):
            return reference
        path = layout.recipe_path(reference.sha256)
        try:
            content = self._read_recipes.get(path) or self._read_recipes.setdefault(path, self.read(path))
        except FileNotFoundError as error:
            raise DocumentError(f"{self.format_uri(path)}: this recipe of runs is missing; restore it") from error
        return rebuild_tree(reference, content, self.format_uri(path))

    @cached_property
    def _read_recipes(self) -> dict[str, bytes]:
        """Contents of the stored recipes that this process has read, by path."""
        return {}

    def iterate_keys(self) -> Iterator[str]:
        """Yield the keys of all existing runs, in any order; memory depends on the packed ones alone."""
        self.shards.refresh()
        yield from self.shards.iterate_keys()
        yield from self.iterate_plain_keys()

    def iterate_plain_keys(self) -> Iterator[str]:
        """Yield the keys of all runs that have manifests of their own, in any order."""
        for path in self.iterate_files(layout.MANIFESTS):
            if path.endswith(".json"):
                yield path.rpartition("/")[2].removesuffix(".json")

    def list_usages(self, path: str) -> Iterator[tuple[str, StorageUsage]]:
        """Yield path and usage of all files below a folder, in any order; memory is independent of their number."""
        return ((file, self.measure_usage(file)) for file in self.iterate_files(path))

    def list_manifests(self) -> Iterator[tuple[str, StorageUsage]]:
        """Yield path and usage of the manifests of all runs that are not packed, as `list_usages`."""
        return ((path, usage) for path, usage in self.list_usages(layout.MANIFESTS) if path.endswith(".json"))

    def list_run_folders(self) -> Iterator[tuple[str, dict[str, StorageUsage]]]:
        """Yield the key of each run with files that are not packed, and the usage of its folders by name.

        Memory as `list_manifests`.
        """
        for part in self.list_children(layout.RUNS):
            for run in self.list_children(f"{layout.RUNS}/{part.name}"):
                path = f"{layout.RUNS}/{part.name}/{run.name}"
                folders = (folder.name for folder in self.list_children(path))
                yield run.name, {name: self.measure_usage(f"{path}/{name}") for name in folders}
