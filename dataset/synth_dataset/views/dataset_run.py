"""A run of a dataset, as its views show it."""

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
    """A run of the dataset as the views see it."""

    number: int
    overrides: Mapping[str, Any]
    manifest: Manifest
    link: str
    """Its folder relative to the attempt's, so that a page opens from disk."""
    store: Store

    @property
    def folder(self) -> str:
        """Its folder relative to the store's root."""
        return layout.run_path(self.manifest.key, self.manifest.c8)

    def read(self, file: str) -> bytes:
        """A file of the run. Raises FileNotFoundError."""
        return self.store.read(f"{self.folder}/{file}")
