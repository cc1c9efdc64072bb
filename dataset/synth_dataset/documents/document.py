"""Base class of the JSON documents of a store, and their parser."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synth_api.errors import TryAgainError
from synth_api.reasons import FailureReason

D = TypeVar("D", bound="Document")
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DocumentError(TryAgainError):
    """A document of a store cannot be read; the message names the file."""

    reason: ClassVar[FailureReason] = FailureReason.DOCUMENT_FAILED


class TruncatedError(DocumentError):
    """A document is not valid JSON, as after a truncated write."""


class Document(BaseModel):
    """Frozen JSON document without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> bytes:
        """Return the document as UTF-8 JSON, indented, with a final newline."""
        return self.model_dump_json(indent=1).encode() + b"\n"


def parse_document(model: type[D], text: bytes, path: object, remedy: str = "restore the file or remove it") -> D:
    """Parse a document. Raises DocumentError that names the file `path` and what helps."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "document"
        kind = TruncatedError if first["type"] == "json_invalid" else DocumentError
        raise kind(f"{path}: {field}: {first['msg']}; {remedy}") from error
