"""The document of one run, written last: the run exists exactly when it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from synth_api.reasons import FailureReason

if TYPE_CHECKING:
    from collections.abc import Iterable

D = TypeVar("D", bound="Document")
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DocumentError(RuntimeError):
    """A document of a store cannot be read; the sentence names the file."""

    reason: ClassVar[FailureReason] = FailureReason.DOCUMENT_FAILED


class TruncatedError(DocumentError):
    """A document is no JSON: only the beginning of it is there."""


class Document(BaseModel):
    """A frozen JSON document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> bytes:
        """UTF-8, indented, ends with a newline."""
        return self.model_dump_json(indent=1).encode() + b"\n"


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


def parse_document(model: type[D], text: bytes, path: object) -> D:
    """Read a document. Raises DocumentError naming the file."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        kind = TruncatedError if first["type"] == "json_invalid" else DocumentError
        raise kind(f"{path}: {where}: {first['msg']}; restore the file or remove it") from error
