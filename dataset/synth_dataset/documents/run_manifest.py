"""The document of one run, written last: the run exists exactly when it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AwareDatetime, Field

from synth_dataset.documents.document import Document, Hash

if TYPE_CHECKING:
    from collections.abc import Iterable


class File(Document):
    """A file of a run; `path` is relative to its folder."""

    path: str
    bytes: int
    sha256: Hash


class Gate(Document):
    """Outcome of a quality gate: its value against its threshold, or words."""

    name: str
    passed: bool
    value: float | None = None
    threshold: float | None = None
    words: str = ""


class RunRecord(Document):
    """A manifest before its files are known. Lengths in scene units, times in seconds."""

    key: Hash
    engine_version: int
    recipe: dict[str, Any]
    """Canonical tree that the key is the hash of."""
    overrides: dict[str, Any]
    seed: int
    versions: dict[str, str]
    """synth-operator, python, bpy, numpy, numba …"""
    processor: str
    device: str
    seconds: dict[str, float]
    """By stage."""
    width: int
    height: int
    pixel_size: float | None
    depth_range: tuple[float, float] | None
    particles: int
    visible: int
    physics: tuple[dict[str, Any], ...] = ()
    gates: tuple[Gate, ...] = ()
    label_digest: Hash
    started: AwareDatetime
    finished: AwareDatetime

    @property
    def total_seconds(self) -> float:
        """Sum of all stages."""
        return sum(self.seconds.values())


class Manifest(RunRecord):
    """A run and its files."""

    c8: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    files: tuple[File, ...]

    @classmethod
    def of(cls, record: RunRecord, c8: str, files: Iterable[File]) -> Manifest:
        """The manifest of a record whose files are hashed."""
        return cls(**{name: getattr(record, name) for name in RunRecord.model_fields}, c8=c8, files=tuple(files))
