"""Messages between a pool and its workers: one JSON object per line, on a socket pair."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from synth_api.reasons import Reason
from synth_api.recipe.canonical_tree import build_canonical_tree
from synth_api.recipe.run_key import compute_run_key
from synth_api.sentences import Sentence
from synth_dataset.documents.run_manifest import GpuRecord

if TYPE_CHECKING:
    from synth_api.sweep.definition import Sweep


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


class TaskBuilder:
    """Builds the tasks of a sweep's runs."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep

    def build(self, number: int) -> RunTask:
        """Return the task of a run."""
        recipe = self._sweep.build_recipe(number)
        return RunTask(
            number=number,
            key=compute_run_key(recipe),
            overrides=self._sweep.overrides(number),
            recipe=build_canonical_tree(recipe),
            base=self._base,
        )

    @cached_property
    def _base(self) -> dict[str, Any]:
        return build_canonical_tree(self._sweep.build_recipe(self._sweep.find_first_run()))


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


class Preparing(_Message):
    """The worker prepares its device; `sentence` says what takes the time. `Ready` follows."""

    kind: Literal["preparing"] = "preparing"
    sentence: Sentence


class Compiling(_Message):
    """The worker compiles kernels for the first run on its machine; it has spent `seconds` on that so far."""

    kind: Literal["compiling"] = "compiling"
    seconds: float


class Ready(_Message):
    """The worker has imported its engine, prepared its device and waits for a run."""

    kind: Literal["ready"] = "ready"
    gpu: GpuRecord | None = None
    """None if the CPU traces, or nothing is traced."""


class Unavailable(_Message):
    """The store or the device cannot be used: the worker ends, and its run does not count as failed."""

    kind: Literal["unavailable"] = "unavailable"
    reason: Reason
    message: Sentence


WorkerMessage = Preparing | Compiling | Ready | RunReport | Unavailable
_WORKER_MESSAGE: TypeAdapter[WorkerMessage] = TypeAdapter(Annotated[WorkerMessage, Field(discriminator="kind")])


def encode_message(message: _Message) -> bytes:
    """Return a message as one line of JSON, newline included."""
    return message.model_dump_json().encode() + b"\n"


def decode_message(line: bytes) -> WorkerMessage:
    """Return the message in a worker's line. Raises pydantic's ValidationError."""
    return _WORKER_MESSAGE.validate_json(line)
