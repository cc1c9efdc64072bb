"""Runs of a dataset: all of them as a stream with manifests, and the few on views without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synth_dataset.documents import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_dataset.documents.run_manifest import Manifest
    from synth_dataset.store.base import Store


@dataclass(frozen=True)
class DatasetRun:
    """Run of a dataset: number, overrides, manifest and access to its files."""

    number: int
    overrides: Mapping[str, Any]
    manifest: Manifest
    store: Store
    split: str | None = None
    """Split of the run; None in a dataset without splits."""

    @property
    def folder(self) -> str:
        """Folder of the run relative to the root of the store."""
        return layout.run_path(self.manifest.key, self.manifest.c8)

    def read(self, file: str) -> bytes:
        """Return the content of a file of the run. Raises FileNotFoundError."""
        return self.store.read(f"{self.folder}/{file}")


@dataclass(frozen=True)
class ViewedRun:
    """Run on the views of a dataset, without its manifest: memory holds all of them at once."""

    number: int
    width: int
    height: int
    pictures: tuple[str, ...]
    """Pictures of all particles together, in the order of their steps and of `thumb.webp`."""
    folder: str
    """Folder of the run relative to the root of the store."""
    store: Store

    def read(self, file: str) -> bytes:
        """Return the content of a file of the run. Raises FileNotFoundError."""
        return self.store.read(f"{self.folder}/{file}")
