"""Start and end of the process of a Job of the small image.

Exit codes: 0 for success; 64 for a sweep that can never work; 75 for an unavailable or damaged store; 70 for a bug; 143
after SIGTERM. Each step can be repeated, so nothing needs to be undone.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_api.jobs.attempt_input import INPUT_FILE, INPUT_FOLDER, AttemptInput
from synth_api.jobs.dataset_input import DATASET_INPUT_FILE, DatasetInput
from synth_api.jobs.messages import MESSAGE_FILE, Problem, write_message
from synth_api.reasons import Reason
from synth_api.sentences import describe_traceback, explain, format_log_entry
from synth_api.version import ENGINE_VERSION
from synth_dataset.documents.document import DocumentError
from synth_dataset.stopper import Stopper, StopSignal, end_process
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from synth_api.jobs.messages import Message
    from synth_dataset.store.s3_store import S3Store

STOP_SECONDS: Final = 5.0
"""Time for the log line of a Job that SIGTERM stops."""
LOG_INTERVAL_SECONDS: Final = 10.0
"""Time between two log lines about the progress of a Job."""


class NeverError(RuntimeError):
    """The sweep can never work, whatever is repeated."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


PodInput = AttemptInput | DatasetInput
G = TypeVar("G", bound=PodInput)
INPUTS: Final[dict[str, type[PodInput]]] = {INPUT_FILE: AttemptInput, DATASET_INPUT_FILE: DatasetInput}
"""Input of a pod by the name of its file; a pod has one of them."""


@dataclass(frozen=True)
class Job(Generic[G]):
    """Job of the small image: its name, its work, and the termination message of a failure."""

    name: str
    work: Callable[[G, S3Store], Message]
    build_failure: Callable[[Problem], Message]


@contextmanager
def refuse_sweep(reason: Reason) -> Iterator[None]:
    """Raise NeverError with a reason for bad input or an unreadable document."""
    try:
        yield
    except (InputError, DocumentError) as error:
        raise NeverError(reason, str(error)) from error


def check_engine(given: AttemptInput) -> None:
    """Raise NeverError if the engine versions of operator and image differ."""
    if given.engine_version != ENGINE_VERSION:
        sentence = (
            f"the operator has engine version {given.engine_version}, this image {ENGINE_VERSION}; "
            "use images of one release"
        )
        raise NeverError(Reason.ENGINE_MISMATCH, sentence)


def main(job: Job[Any]) -> NoReturn:
    """Run a Job and end the process, even if requests to the store are still open."""
    logging.getLogger().addHandler(WarningLog(logging.WARNING))
    # Process 1 of a container ignores signals without a handler.
    Stopper(StopSignal(), STOP_SECONDS, partial(log_event, "stopping after SIGTERM"))
    end_process(run(job))


def run(job: Job[Any], arguments: Sequence[str] | None = None) -> ExitCode:
    """Run a Job, write its termination message, return its exit code."""
    options = _parse_arguments(job, arguments)
    code, message = _execute(job, options.input)
    with suppress(OSError):  # the log holds the same
        options.message.write_bytes(write_message(message))
    return code


def log_event(event: str, **facts: Any) -> None:
    """Log a redacted JSON object as one line on stderr."""
    with suppress(OSError, ValueError):  # a log that is full or closed must not fail the Job
        print(f"{format_log_entry(event, facts)}\n", end="", file=sys.stderr, flush=True)


class LoggedProgress:
    """Progress of a commit or an export as log lines."""

    def __init__(self) -> None:
        self._next = time.monotonic() + LOG_INTERVAL_SECONDS

    def __call__(self, what: str, done: int, total: int) -> None:
        """Log a line if LOG_INTERVAL_SECONDS have passed since the last one."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LOG_INTERVAL_SECONDS
            log_event(f"writing {what}", done=done, runs=total)


class WarningLog(logging.Handler):
    """Handler that logs warnings of the packages as `log_event` does."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the message of a warning."""
        log_event("warning", message=record.getMessage())


def _execute(job: Job[Any], file: Path) -> tuple[ExitCode, Message]:
    try:
        with refuse_sweep(Reason.PLAN_UNREADABLE):
            given = INPUTS.get(file.name, AttemptInput).read(file)
        log_event(f"{job.name} begins", namespace=given.namespace, **_identify(given))
        message = job.work(given, open_store(given))
        log_event(f"{job.name} is done", **message.model_dump(exclude={"failures", "problem"}))
        return ExitCode.OK, message
    except Exception as error:
        code, problem = _classify(error)
        if code is ExitCode.BUG:
            log_event("unexpected error", traceback=describe_traceback(error))
        log_event(f"{job.name} ended", code=int(code), reason=problem.reason, message=problem.message)
        return code, job.build_failure(problem)


def _identify(given: PodInput) -> dict[str, str]:
    """Return what a pod works on, for the log."""
    if isinstance(given, AttemptInput):
        return {"sweep": given.name, "plan": given.plan, "attempt": given.attempt}
    return {"dataset": given.name, "version": given.definition.version, "build": given.build}


def _find_input(folder: Path) -> Path:
    """Return the file of a pod's input."""
    return next((folder / name for name in INPUTS if (folder / name).is_file()), folder / INPUT_FILE)


def _classify(error: Exception) -> tuple[ExitCode, Problem]:
    match error:
        case NeverError() | StoreError():
            code = ExitCode.NEVER if isinstance(error, NeverError) else ExitCode.TRY_AGAIN
            return code, Problem(reason=error.reason, message=explain(error))
        case DocumentError():
            return ExitCode.TRY_AGAIN, Problem(reason=Reason.STORE_DAMAGED, message=explain(error))
    return ExitCode.BUG, Problem(reason=Reason.WORKER_FAILED, message=explain(error))


def _parse_arguments(job: Job[Any], arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"synth_dataset.jobs.{job.name}")
    parser.add_argument("--input", type=Path, default=_find_input(Path(INPUT_FOLDER)))
    parser.add_argument("--message", type=Path, default=Path(MESSAGE_FILE), help="termination message")
    return parser.parse_args(arguments)
