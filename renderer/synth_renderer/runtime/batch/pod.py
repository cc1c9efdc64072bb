"""The process of a render pod.

Ends with 0 when every run of its batch is rendered or recorded as failed; 64 when the sweep can never work; 75 when
store or device are unavailable; 143 after SIGTERM, with the run in flight dropped and its mark cleared.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import psutil

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_api.jobs.attempt_input import INPUT_FILE, INPUT_FOLDER, AttemptInput
from synth_api.jobs.batches import SHARD_BATCHES
from synth_api.jobs.messages import MESSAGE_FILE, BatchMessage, Problem, write_message
from synth_api.reasons import Reason
from synth_api.sentences import explain
from synth_api.temporary import find_temporary_folder
from synth_dataset.documents.document import DocumentError
from synth_dataset.stopper import Stopper, end_process, log_traceback
from synth_dataset.store.base import StoreError
from synth_dataset.store.s3_client import RENDER_PATIENCE, Patience
from synth_dataset.store.s3_store import open_store
from synth_renderer.runtime.batch.inputs import EngineMismatchError, check_engine, open_batch
from synth_renderer.runtime.batch.progress import log_event
from synth_renderer.runtime.capacity import read_memory_limit
from synth_renderer.runtime.library_folders import choose_library_folders
from synth_renderer.runtime.process import load_engine
from synth_renderer.runtime.worker import Worker, WorkerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dataset.stopper import StopSignal
    from synth_renderer.runtime.batch.progress import BatchWork

ENGINE: Final = "synth_renderer.engine:render"
WATERMARK_SHARE: Final = 0.6
"""Share of the memory limit above which the process restarts after a run."""
STOP_SECONDS: Final = 30.0
"""Time to drop the run in flight and update the store; less than a pod's default grace period."""


def main(stop: StopSignal, arguments: Sequence[str] | None = None) -> NoReturn:
    """Render the batch; never returns."""
    faulthandler.enable()
    options = _parse(arguments)
    stopper = Stopper(stop, STOP_SECONDS, partial(log_event, "stopping"))
    code = ExitCode.BUG
    try:
        code = _run(options, stopper)
    except BaseException as error:
        log_traceback()
        code, problem = _find_outcome(error)
        log_event("ended", code=int(code), reason=problem.reason, message=problem.message)
        _write_empty_message(options, problem)
    finally:
        # A stopping pod does not wait for its store, so an unavailable store is no reason for exit code 75.
        if code and stopper.is_stopping.is_set():
            stopper.join()
        end_process(code)


def _run(options: argparse.Namespace, stopper: Stopper) -> ExitCode:
    given = AttemptInput.read(options.input)
    check_engine(given)
    store = open_store(given, Patience(RENDER_PATIENCE, stop=stopper.is_stopping))
    os.environ.update(choose_library_folders(os.environ, find_temporary_folder()))
    worker = Worker(store, load_engine(options.engine), options.device)
    work = open_batch(store, given, given.build_sweep(), options.shard * SHARD_BATCHES + options.index, worker)
    with worker.commit_lock:
        stopper.tidy_up = partial(_drop_run, worker, work, options)
        return _render_batch(work, options, stopper)


def _render_batch(work: BatchWork, options: argparse.Namespace, stopper: Stopper) -> ExitCode:
    try:
        work.fail_crashing_run(options.retries_per_run)
        while work.has_next():
            work.render_next_run(options.gpus)
            work.write_message(options.message)
            if work.has_next() and _is_past_watermark(options.memory_limit):
                work.save()
                _restart_process(stopper)
        work.save()
        work.write_message(options.message)
    except (WorkerUnavailableError, StoreError) as error:
        problem = Problem(reason=error.reason, message=explain(error))
        log_event("ended", code=int(ExitCode.TRY_AGAIN), reason=problem.reason, message=problem.message)
        _clear_mark(work)
        work.write_message(options.message, problem)
        return ExitCode.TRY_AGAIN
    return ExitCode.OK


def _clear_mark(work: BatchWork) -> None:
    """Clear the in-flight mark; a store that is still unavailable keeps it."""
    with suppress(StoreError):
        work.clear_mark()


def _drop_run(worker: Worker, work: BatchWork, options: argparse.Namespace) -> None:
    """Drop the run in flight, after a commit that has begun, and clear its mark."""
    log_event("stopping")
    worker.commit_lock.acquire()
    try:
        work.drop_run_in_flight(options.gpus)
    except StoreError as error:
        log_event("in-flight mark not cleared", reason=error.reason, message=explain(error))
    finally:
        work.write_message(options.message)


def _is_past_watermark(limit: int | None) -> bool:
    resident: int = psutil.Process().memory_info().rss
    return resident > WATERMARK_SHARE * (limit or read_memory_limit())


def _restart_process(stopper: Stopper) -> None:
    """Replace this process by a new one in the same container, which frees the memory that Blender keeps.

    Returns if this process is stopping, because a new one would not know of it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # stays pending for the new process
    if stopper.is_stopping.is_set():
        return
    log_event("restarting: past its memory watermark")
    os.execv(sys.executable, [sys.executable, "-m", "synth_renderer.runtime.batch", *sys.argv[1:]])


def _find_outcome(error: BaseException) -> tuple[ExitCode, Problem]:
    """Return exit code and problem of a process that ends before it has a batch."""
    if isinstance(error, StoreError):
        return ExitCode.TRY_AGAIN, Problem(reason=error.reason, message=explain(error))
    if isinstance(error, EngineMismatchError):
        return ExitCode.NEVER, Problem(reason=Reason.ENGINE_MISMATCH, message=explain(error))
    if isinstance(error, DocumentError | InputError):
        return ExitCode.NEVER, Problem(reason=Reason.PLAN_UNREADABLE, message=explain(error))
    return ExitCode.BUG, Problem(reason=Reason.WORKER_FAILED, message=explain(error))


def _write_empty_message(options: argparse.Namespace, problem: Problem) -> None:
    message = BatchMessage(batch=options.shard * SHARD_BATCHES + options.index, size=0, problem=problem)
    with suppress(OSError):
        options.message.write_bytes(write_message(message))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="synth_renderer.runtime.batch")
    index = os.environ.get("JOB_COMPLETION_INDEX")
    parser.add_argument("--input", type=Path, default=Path(INPUT_FOLDER) / INPUT_FILE)
    parser.add_argument("--message", type=Path, default=Path(MESSAGE_FILE), help="termination message")
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--index", type=int, default=index, required=index is None, help="batch of the shard")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs of the pod")
    parser.add_argument("--retries-per-run", type=int, default=2)
    parser.add_argument("--memory-limit", type=int, help="bytes; left out: the container's")
    parser.add_argument("--engine", default=os.environ.get("SYNTH_ENGINE", ENGINE), help="module:function")
    return parser.parse_args(arguments)
