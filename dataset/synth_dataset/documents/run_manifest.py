"""Run manifests, written last: a run exists if and only if its manifest does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AwareDatetime, Field, ValidationError

from synth_dataset.documents.document import Document, Hash, parse_document
from synth_dataset.documents.stored_recipe import RecipeReference

if TYPE_CHECKING:
    from collections.abc import Iterable


class File(Document):
    """File of a run; `path` is relative to the folder of the run."""

    path: str
    bytes: int
    sha256: Hash


class Gate(Document):
    """Result of a quality gate: its value and threshold, or a sentence in `words`."""

    name: str
    passed: bool
    value: float | None = None
    threshold: float | None = None
    words: str = ""


class GpuRecord(Document):
    """The GPU on which Cycles traced a run; a process with several GPUs uses all, and names each kind once."""

    name: str
    """As the driver writes it: `NVIDIA H200`."""
    compute_capability: str = ""
    """Of CUDA: `9.0`; empty for GPUs of other makers."""
    driver: str = ""
    """Version of NVIDIA's driver."""
    backend: str
    """`CUDA`, `OptiX`, `HIP` or `oneAPI`."""
    startup_seconds: float = 0.0
    """Seconds in which the worker loaded Cycles kernels before its first run; no stage of a run includes them."""

    def describe(self) -> str:
        """Return `NVIDIA H200 (sm_90), CUDA`."""
        architectures = ", ".join(f"sm_{each.replace('.', '')}" for each in self.compute_capability.split(", ") if each)
        return f"{self.name} ({architectures}), {self.backend}" if architectures else f"{self.name}, {self.backend}"


class RunRecord(Document):
    """Manifest without the files. Lengths in scene units, times in seconds, sizes in px."""

    key: Hash
    engine_version: int
    recipe: RecipeReference | dict[str, Any]
    """Canonical tree, whose hash is the run key; manifests of earlier releases have the tree itself."""
    overrides: dict[str, Any]
    seed: int
    versions: dict[str, str]
    """synth-operator, python, bpy, numpy, numba …"""
    processor: str
    device: str
    """`cpu`, `optix`, `cuda`, `hip` or `oneapi`."""
    gpu: GpuRecord | None = None
    """None if the CPU made the pictures."""
    seconds: dict[str, float]
    """Seconds by stage of the run."""
    width: int
    height: int
    pixel_size: float | None
    depth_range: tuple[float, float] | None
    pictures: tuple[str, ...] | None = None
    """Pictures of all particles together, in the order of their steps; manifests of earlier releases lack it."""
    particles: int
    visible: int
    physics: tuple[dict[str, Any], ...] = ()
    gates: tuple[Gate, ...] = ()
    label_digest: Hash
    started: AwareDatetime
    finished: AwareDatetime

    @property
    def total_seconds(self) -> float:
        """Seconds of all stages together."""
        return sum(self.seconds.values())


class Manifest(RunRecord):
    """Manifest of a run with its files."""

    c8: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    files: tuple[File, ...]
    unknown: tuple[str, ...] = Field(default=(), exclude=True)
    """Keys of the file that this release does not know, and does not read: a later release has written it."""

    @classmethod
    def from_record(cls, record: RunRecord, c8: str, files: Iterable[File]) -> Manifest:
        """Return the manifest of a record and its hashed files."""
        return cls(**{name: getattr(record, name) for name in RunRecord.model_fields}, c8=c8, files=tuple(files))


def parse_manifest(text: bytes, path: object) -> Manifest:
    """Parse a manifest, also one with keys of a later release. Raises DocumentError that names the file `path`."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        unknown = [problem for problem in error.errors() if problem["type"] == "extra_forbidden"]
        if len(unknown) < error.error_count():
            return parse_document(Manifest, text, path)
    names = sorted({".".join(str(part) for part in problem["loc"] if isinstance(part, str)) for problem in unknown})
    known = Manifest.model_validate_json(text, extra="ignore")
    return known.model_copy(update={"unknown": tuple(names)})
