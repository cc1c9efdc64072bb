"""Termination messages: reports of pods to the operator, at most 4096 bytes of JSON each.

A message is a claim: whoever may create pods in a namespace can write one. So every number is bounded, every text is
clean, and the numbers of a message agree with each other; `read_message` refuses what no worker writes.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, model_validator

from synth_api.jobs.batches import MAX_BATCH_SIZE, Batches
from synth_api.reasons import FailureReason, Reason, find_failure_reason
from synth_api.resources.base import Part
from synth_api.resources.conditions import Problem as Problem
from synth_api.resources.synth_dataset import MAX_EXPORTS, MAX_SPLITS, SplitCount
from synth_api.resources.synth_sweep import RunFailure
from synth_api.sentences import MAX_CLAIM_CHARACTERS, MAX_INTEGER, ClaimedName, ClaimedText, shorten
from synth_api.sweep.axis_values import MAX_RUNS

MAX_BYTES: Final = 4096
MESSAGE_FILE: Final = "/dev/termination-log"
POD_REASONS: Final = frozenset(
    {
        Reason.STORE_UNREACHABLE,
        Reason.ACCESS_DENIED,
        Reason.BUCKET_NOT_FOUND,
        Reason.CERTIFICATE_INVALID,
        Reason.STORE_FULL,
        Reason.STORE_DAMAGED,
        Reason.DEVICE_UNAVAILABLE,
        Reason.SWEEP_INVALID,
        Reason.ENGINE_MISMATCH,
        Reason.PLAN_UNREADABLE,
        Reason.DATASET_INVALID,
        Reason.VERSION_PUBLISHED,
        Reason.WORKER_FAILED,
    }
)
"""Reasons that a pod may report; the others are the operator's own."""
MAX_LISTED_DEVICES: Final = 4
"""Kinds of GPUs that a message names."""
_EXPORT_FOLDER: Final = "^[a-z]+(-[0-9a-f]{8})?$"
"""Format and hash; versions of earlier releases have folders without a hash."""
_MAX_SECONDS: Final = 1e10
"""More than 300 years: the seconds of any batch."""


def _check_problem(problem: Problem) -> Problem:
    if problem.reason not in POD_REASONS:
        raise ValueError(f"a pod does not report {problem.reason.value}")
    return problem.model_copy(update={"message": shorten(problem.message, MAX_CLAIM_CHARACTERS)})


def _check_failures(failures: tuple[RunFailure, ...]) -> tuple[RunFailure, ...]:
    runs = {failure.run for failure in failures}
    if len(runs) < len(failures) or not all(0 <= run < MAX_RUNS for run in runs):
        raise ValueError("not the numbers of different runs")
    return tuple(
        failure.model_copy(update={"reason": _find_known_reason(failure.reason).value}) for failure in failures
    )


def _merge_unknown_reasons(reasons: Any) -> Any:
    if not isinstance(reasons, dict) or not all(type(runs) is int for runs in reasons.values()):
        return reasons
    known: Counter[str] = Counter()
    for code, runs in reasons.items():
        known[_find_known_reason(str(code)).value] += runs
    return dict(known)


def _find_known_reason(code: str) -> FailureReason:
    """Return the reason of a code; EngineFailed, whose remedy is the log, for one of another release's image."""
    return find_failure_reason(code) or FailureReason.ENGINE_FAILED


Count = Annotated[int, Field(ge=0, le=MAX_RUNS, strict=True)]
"""A number of runs or batches of a sweep."""
Amount = Annotated[int, Field(ge=0, le=MAX_INTEGER, strict=True)]
Seconds = Annotated[float, Field(ge=0, le=_MAX_SECONDS, allow_inf_nan=False, strict=True)]
SecondsByStage = dict[ClaimedText, Seconds]
Failures = Annotated[tuple[RunFailure, ...], AfterValidator(_check_failures)]
RunsByReason = Annotated[dict[str, Count], BeforeValidator(_merge_unknown_reasons)]
PodProblem = Annotated[Problem, AfterValidator(_check_problem)]


class JobKind(StrEnum):
    """The kinds of Job; the value is the word in the label `synth-operator.io/job`."""

    PLAN = "plan"
    RENDER = "render"
    FINALIZE = "finalize"
    EXPORT = "export"
    PUBLISH = "publish"
    DELETE = "delete"


class PlanMessage(Part):
    """Report of a plan pod: the plan is written, unless there is a problem."""

    kind: Literal["plan"] = "plan"
    total: Count = 0
    """Runs without the excluded ones."""
    cached: Count = 0
    """Of these, runs that existed."""
    todo: Count = 0
    """Of these, runs to render."""
    batch_size: Annotated[int, Field(ge=0, le=MAX_BATCH_SIZE, strict=True)] = 0
    """Runs of a batch."""
    batches: Count = 0
    """Batches."""
    seconds: Seconds = 0.0
    """Duration of the pod in seconds."""
    problem: PodProblem | None = None
    """Reason why nothing was planned."""

    @model_validator(mode="after")
    def _check_sums(self) -> Self:
        if self.cached + self.todo != self.total:
            raise ValueError("the runs that existed and the runs to render are not all runs")
        if self.batches != Batches(self.todo, max(1, self.batch_size)).count:
            raise ValueError("not the number of batches of this size")
        return self


class RunOutcomes(Part):
    """What a batch, or all batches of a sweep, did with their runs."""

    failed: Count = 0
    """Runs recorded as failed."""
    failures: Failures = ()
    """The first failed runs, as many as fit."""
    reasons: RunsByReason = Field(default={})
    """Failed runs by reason."""
    seconds: SecondsByStage = Field(default={})
    """Render seconds by stage."""
    gpu_seconds_used: Seconds = 0.0
    """GPU seconds of runs that exist."""
    gpu_seconds_lost: Seconds = 0.0
    """GPU seconds of runs that failed or were dropped."""
    gpu_seconds_startup: Seconds = 0.0
    """GPU seconds of pods before their first run: Cycles kernels are loaded, or compiled by the driver."""
    devices: Annotated[tuple[ClaimedName, ...], Field(max_length=MAX_LISTED_DEVICES)] = ()
    """The first kinds of GPUs, with compute capability and backend: `NVIDIA H200 (sm_90), CUDA`."""
    bytes: Amount = 0
    """Written to the store."""

    @model_validator(mode="after")
    def _compare_failures(self) -> Self:
        if len(self.failures) > self.failed or sum(self.reasons.values()) > self.failed:
            raise ValueError("more failures or reasons than failed runs")
        return self


class BatchMessage(RunOutcomes):
    """Report of a render pod: the batch so far, over all pods that worked on it."""

    kind: Literal["batch"] = "batch"
    batch: Count
    """Number of the batch in the attempt."""
    size: Annotated[int, Field(ge=0, le=MAX_BATCH_SIZE, strict=True)]
    """Number of runs in the batch; 0 from a pod that could not read it."""
    succeeded: Count = 0
    """Runs that were rendered or found present."""
    engine_version: Amount = 0
    """ENGINE_VERSION of the worker."""
    problem: PodProblem | None = None
    """Reason why the pod stopped early."""

    @model_validator(mode="after")
    def _check_sums(self) -> Self:
        if self.succeeded + self.failed > self.size:
            raise ValueError("more runs than the batch has")
        return self


class FinalizeMessage(RunOutcomes):
    """Report of a finalize pod: the dataset is committed, unless there is a problem."""

    kind: Literal["finalize"] = "finalize"
    total: Count = 0
    """Runs without the excluded ones."""
    cached: Count = 0
    """Runs that existed when the attempt began."""
    succeeded: Count = 0
    """Runs that were to do and exist."""
    missing: Count = 0
    """Runs that neither exist nor are recorded as failed."""
    dataset: Annotated[str, Field(max_length=1024, pattern=r"^[^\p{C}\p{Z}]*$")] = ""
    """URI of the committed dataset.json."""
    problem: PodProblem | None = None
    """Reason why nothing was committed."""

    @model_validator(mode="after")
    def _check_sums(self) -> Self:
        if self.cached + self.succeeded + self.failed + self.missing != self.total:
            raise ValueError("the runs that exist, failed and are missing are not all runs")
        return self


class ExportMessage(Part):
    """Report of an export pod: its part of the exports is written, unless there is a problem."""

    kind: Literal["export"] = "export"
    part: Count = 0
    """Completion index of the pod."""
    runs: Amount = 0
    """Runs that it has exported, each once for every export."""
    problem: PodProblem | None = None
    """Reason why the part is not written."""


class PublishMessage(Part):
    """Report of a publish pod: the version is published, unless there is a problem."""

    kind: Literal["publish"] = "publish"
    splits: Annotated[tuple[SplitCount, ...], Field(max_length=MAX_SPLITS)] = ()
    """Splits with the counts of the longest export, the first of several."""
    root: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    """sha256 of the runs and their labels."""
    folders: Annotated[tuple[Annotated[str, Field(pattern=_EXPORT_FOLDER)], ...], Field(max_length=MAX_EXPORTS)] = ()
    """Folders of the exports in that of the version, in the order of the definition."""
    problem: PodProblem | None = None
    """Reason why nothing was published."""


class DeleteMessage(Part):
    """Report of a delete pod: the documents of a sweep, and its runs that no other needs, or a dataset are removed."""

    kind: Literal["delete"] = "delete"
    runs: Amount = 0
    """Runs removed."""
    kept: Amount = 0
    """Runs kept for other sweeps."""
    problem: PodProblem | None = None
    """Reason why something is left."""


Message = PlanMessage | BatchMessage | FinalizeMessage | ExportMessage | PublishMessage | DeleteMessage
_MESSAGE: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def read_message(text: str) -> Message | None:
    """Parse a pod's termination message; None for a text that no worker writes. Never raises."""
    try:
        encoded = text.encode()
        return _MESSAGE.validate_json(encoded) if len(encoded) <= MAX_BYTES else None
    except (ValueError, RecursionError):  # pydantic's ValidationError is a ValueError
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
