"""Messages between a pool and its workers: one JSON object per line, on a socket pair."""

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
    """Canonical tree; `key` is its hash."""
    base: dict[str, Any]
    """Canonical tree of the first run of the sweep, which the store holds once for all its runs."""


Outcome = Literal["succeeded", "present", "failed", "dropped"]
"""`present`: another process has committed the run; `dropped`: the worker was stopped and removed the run's files."""


class RunReport(_Message):
    """The end of a run; `reason` (a FailureReason) and `message` (one sentence) are empty unless it failed."""

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
    """True if the worker ends after this run, because it uses more memory than its watermark."""


class Ready(_Message):
    """The worker has imported its engine and waits for a run."""

    kind: Literal["ready"] = "ready"


class Unavailable(_Message):
    """The store or the device cannot be used: the worker ends, and its run does not count as failed."""

    kind: Literal["unavailable"] = "unavailable"
    message: Sentence


WorkerMessage = Annotated[Ready | RunReport | Unavailable, Field(discriminator="kind")]
_WORKER_MESSAGE: TypeAdapter[Ready | RunReport | Unavailable] = TypeAdapter(WorkerMessage)


def encode_message(message: _Message) -> bytes:
    """Return a message as one line of JSON, newline included."""
    return message.model_dump_json().encode() + b"\n"


def decode_message(line: bytes) -> Ready | RunReport | Unavailable:
    """Return the message in a worker's line. Raises pydantic's ValidationError."""
    return _WORKER_MESSAGE.validate_json(line)
