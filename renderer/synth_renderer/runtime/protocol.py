"""What a pool and its workers say to each other: one JSON object a line, on a socket of their own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from synth_api.sentences import Sentence


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunTask(_Message):
    """One run to render: pool to worker."""

    number: int
    key: str
    overrides: dict[str, Any]
    """Override path -> value, as the manifest records it."""
    recipe: dict[str, Any]
    """The canonical tree that `key` is the hash of."""


Outcome = Literal["succeeded", "present", "failed", "dropped"]
"""`present`: somebody else had committed it meanwhile; `dropped`: told to stop, nothing of it stays."""


class RunReport(_Message):
    """How a run ended; `reason` is one CamelCase word, `message` one sentence, both empty unless it failed."""

    kind: Literal["report"] = "report"
    number: int
    outcome: Outcome
    reason: str = ""
    message: Sentence = ""
    seconds: float = 0.0
    stages: dict[str, float] = {}
    bytes: int = 0
    """Written to the store."""
    is_last: bool = False
    """The worker ends after it, to be replaced: it holds more memory than its watermark."""


class Ready(_Message):
    """The worker has imported its engine and waits for a run."""

    kind: Literal["ready"] = "ready"


class Unavailable(_Message):
    """Store or device cannot be reached: no run would work. The worker ends; nothing is held against the run."""

    kind: Literal["unavailable"] = "unavailable"
    message: Sentence


WorkerMessage = Annotated[Ready | RunReport | Unavailable, Field(discriminator="kind")]
_WORKER_MESSAGE: TypeAdapter[Ready | RunReport | Unavailable] = TypeAdapter(WorkerMessage)


def encode_message(message: _Message) -> bytes:
    """One line, newline included."""
    return message.model_dump_json().encode() + b"\n"


def decode_message(line: bytes) -> Ready | RunReport | Unavailable:
    """A worker's line."""
    return _WORKER_MESSAGE.validate_json(line)
