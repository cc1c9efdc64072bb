"""How the pod of a small Job begins and ends.

Ends with 0 when its work is done; 64 when the sweep can never work; 75 when its store is unavailable or damaged; 70 for
what should not happen; 143 when told to stop. Each step can be repeated, so nothing needs to be undone.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_api.jobs.attempt_input import INPUT_FILE, INPUT_FOLDER, AttemptInput
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
"""For the log line of a Job that stops."""


class NeverError(RuntimeError):
    """The sweep can never work."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True)
class Job:
    """What a small Job does, and the message of one that could not."""

    name: str
    work: Callable[[AttemptInput, S3Store], Message]
    failed: Callable[[Problem], Message]


@contextmanager
def never(reason: Reason) -> Iterator[None]:
    """Turn bad input, or a document that cannot be read, into a NeverError."""
    try:
        yield
    except (InputError, DocumentError) as error:
        raise NeverError(reason, str(error)) from error


def check_engine(given: AttemptInput) -> None:
    """Raises NeverError when the operator's engine version is not this image's."""
    if given.engine_version != ENGINE_VERSION:
        sentence = (
            f"the operator has engine version {given.engine_version}, this image {ENGINE_VERSION}; "
            "use images of one release"
        )
        raise NeverError(Reason.ENGINE_MISMATCH, sentence)


def main(job: Job) -> NoReturn:
    """Carry out a Job as its pod does and end the process, also when requests to the store are still open."""
    # Process 1 of a container ignores what it does not handle.
    Stopper(StopSignal(), STOP_SECONDS, partial(log, "told to stop"))
    end_process(run(job))


def run(job: Job, arguments: Sequence[str] | None = None) -> ExitCode:
    """Carry out a Job; the result is the exit code."""
    options = _parse(job, arguments)
    code, message = _ended(job, options.input)
    with suppress(OSError):  # the log says the same
        options.message.write_bytes(write_message(message))
    return code


def log(event: str, **facts: Any) -> None:
    """One JSON object a line on stderr, without credentials."""
    with suppress(OSError, ValueError):  # a log that is full or closed must not fail the Job
        print(f"{format_log_entry(event, facts)}\n", end="", file=sys.stderr, flush=True)


def _ended(job: Job, file: Path) -> tuple[ExitCode, Message]:
    try:
        with never(Reason.PLAN_UNREADABLE):
            given = AttemptInput.read(file)
        log(f"{job.name} begins", namespace=given.namespace, sweep=given.name, plan=given.plan, attempt=given.attempt)
        message = job.work(given, open_store(given.output))
        log(f"{job.name} is done", **message.model_dump(exclude={"failures", "problem"}))
        return ExitCode.OK, message
    except Exception as error:
        code, problem = _explained(error)
        if code is ExitCode.BUG:
            log("unexpected error", traceback=describe_traceback(error))
        log(f"{job.name} ended", code=int(code), reason=problem.reason, message=problem.message)
        return code, job.failed(problem)


def _explained(error: Exception) -> tuple[ExitCode, Problem]:
    match error:
        case NeverError() | StoreError():
            code = ExitCode.NEVER if isinstance(error, NeverError) else ExitCode.TRY_AGAIN
            return code, Problem(reason=error.reason, message=explain(error))
        case DocumentError():
            return ExitCode.TRY_AGAIN, Problem(reason=Reason.STORE_DAMAGED, message=explain(error))
    return ExitCode.BUG, Problem(reason=Reason.WORKER_FAILED, message=explain(error))


def _parse(job: Job, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"synth_dataset.jobs.{job.name}")
    parser.add_argument("--input", type=Path, default=Path(INPUT_FOLDER) / INPUT_FILE)
    parser.add_argument("--message", type=Path, default=Path(MESSAGE_FILE), help="termination message")
    return parser.parse_args(arguments)
