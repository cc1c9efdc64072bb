"""Termination messages: reports of pods to the operator, at most 4096 bytes of JSON each."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from synth_api.resources.base import Part
from synth_api.resources.conditions import Problem as Problem
from synth_api.resources.synth_sweep import RunFailure
from synth_api.sentences import shorten

MAX_BYTES: Final = 4096
MESSAGE_FILE: Final = "/dev/termination-log"


class JobKind(StrEnum):
    """The kinds of Job; the value is the word in the label `synth-operator.io/job`."""

    PLAN = "plan"
    RENDER = "render"
    FINALIZE = "finalize"
    DELETE = "delete"


class PlanMessage(Part):
    """Report of a plan pod: the plan is written, unless there is a problem."""

    kind: Literal["plan"] = "plan"
    total: int = 0
    """Runs without the excluded ones."""
    cached: int = 0
    """Of these, runs that existed."""
    todo: int = 0
    """Of these, runs to render."""
    batch_size: int = 0
    """Runs of a batch."""
    batches: int = 0
    """Batches."""
    seconds: float = 0.0
    """Duration of the pod in seconds."""
    problem: Problem | None = None
    """Reason why nothing was planned."""


class BatchMessage(Part):
    """Report of a render pod: the batch so far, over all pods that worked on it."""

    kind: Literal["batch"] = "batch"
    batch: int
    """Number of the batch in the attempt."""
    size: int
    """Number of runs in the batch."""
    succeeded: int = 0
    """Runs that were rendered or found present."""
    failed: int = 0
    """Runs recorded as failed."""
    failures: tuple[RunFailure, ...] = ()
    """The first failed runs, as many as fit."""
    reasons: dict[str, int] = Field(default={})
    """Failed runs by reason."""
    seconds: dict[str, float] = Field(default={})
    """Render seconds by stage."""
    gpu_seconds_used: float = 0.0
    """GPU seconds of runs that exist."""
    gpu_seconds_lost: float = 0.0
    """GPU seconds of runs that failed or were dropped."""
    bytes: int = 0
    """Written to the store."""
    engine_version: int = 0
    """ENGINE_VERSION of the worker."""
    problem: Problem | None = None
    """Reason why the pod stopped early."""


class FinalizeMessage(Part):
    """Report of a finalize pod: the dataset is committed, unless there is a problem."""

    kind: Literal["finalize"] = "finalize"
    total: int = 0
    """Runs without the excluded ones."""
    cached: int = 0
    """Runs that existed when the attempt began."""
    succeeded: int = 0
    """Runs that were to do and exist."""
    failed: int = 0
    """Runs recorded as failed."""
    missing: int = 0
    """Runs that neither exist nor are recorded as failed."""
    failures: tuple[RunFailure, ...] = ()
    """The first failed runs, as many as fit."""
    reasons: dict[str, int] = Field(default={})
    """Failed runs by reason."""
    seconds: dict[str, float] = Field(default={})
    """Render seconds by stage, over all batches."""
    gpu_seconds_used: float = 0.0
    """GPU seconds of runs that exist."""
    gpu_seconds_lost: float = 0.0
    """GPU seconds of runs that failed or were dropped."""
    bytes: int = 0
    """Written to the store, over all batches."""
    dataset: str = ""
    """URI of the committed dataset.json."""
    problem: Problem | None = None
    """Reason why nothing was committed."""


class DeleteMessage(Part):
    """Report of a delete pod: the sweep's documents, and its runs that no other sweep needs, are removed."""

    kind: Literal["delete"] = "delete"
    runs: int = 0
    """Runs removed."""
    kept: int = 0
    """Runs kept for other sweeps."""
    problem: Problem | None = None
    """Reason why something is left."""


Message = PlanMessage | BatchMessage | FinalizeMessage | DeleteMessage
_MESSAGE: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def read_message(text: str) -> Message | None:
    """Parse a pod's termination message; None if it is truncated or in another format."""
    try:
        return _MESSAGE.validate_json(text)
    except ValidationError:
        return None


def write_message(message: Message) -> bytes:
    """Encode a message in at most MAX_BYTES: drop failures from the end, then shorten the problem's message."""
    text = _encode_message(message)
    while len(text) > MAX_BYTES and isinstance(message, BatchMessage | FinalizeMessage) and message.failures:
        message = message.model_copy(update={"failures": message.failures[:-1]})
        text = _encode_message(message)
    while len(text) > MAX_BYTES and message.problem:
        sentence = shorten(message.problem.message, len(message.problem.message) // 2)
        message = message.model_copy(update={"problem": Problem(reason=message.problem.reason, message=sentence)})
        text = _encode_message(message)
    return text


def _encode_message(message: Message) -> bytes:
    return message.model_dump_json(exclude_none=True, exclude_defaults=False).encode()
