"""Manifests of packed runs: where the files of a run are, and local copies of the manifests of whole shards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from synth_dataset.documents import layout
from synth_dataset.documents.shard_index import locate_files
from synth_dataset.store.packed_run_table import Extent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synth_dataset.store.packed_run_table import PackedRun


@dataclass(frozen=True)
class PackedManifest:
    """Manifest of a packed run: how it was read, and where the files of the run are."""

    run: PackedRun
    content: bytes

    @cached_property
    def files(self) -> Mapping[str, Extent]:
        """The files by path. Raises ValueError, KeyError, TypeError for what is no manifest."""
        files = ((file["path"], file["bytes"]) for file in json.loads(self.content)["files"])
        places = locate_files(layout.run_path(self.run.key, self.run.c8), files)
        return {path: Extent(self.run.tar, self.run.offset + start, size) for path, start, size in places}


class CollectedManifests:
    """Local copies of the ends of tar files, which hold the manifests."""

    def __init__(self, folder: Path) -> None:
        self.lock = Lock()
        self.starts: dict[str, int] = {}
        """Offset in the tar file at which its copy begins."""
        self._folder = folder

    def write(self, tar: str, start: int, content: bytes) -> None:
        """Keep the end of a tar file."""
        (self._folder / layout.parse_shard_name(tar)).write_bytes(content)
        self.starts[tar] = start

    def read(self, run: PackedRun) -> bytes:
        """Return the manifest of a run."""
        with (self._folder / layout.parse_shard_name(run.tar)).open("rb") as stream:
            stream.seek(run.manifest_offset - self.starts[run.tar])
            return stream.read(run.manifest_bytes)
