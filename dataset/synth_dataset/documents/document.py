"""A frozen JSON document of a store, and how it is read."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synth_api.errors import UnavailableError
from synth_api.reasons import FailureReason

D = TypeVar("D", bound="Document")
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DocumentError(UnavailableError):
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


def parse_document(model: type[D], text: bytes, path: object) -> D:
    """Read a document. Raises DocumentError naming the file."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        kind = TruncatedError if first["type"] == "json_invalid" else DocumentError
        raise kind(f"{path}: {where}: {first['msg']}; restore the file or remove it") from error
