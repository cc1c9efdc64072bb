"""The process of a render pod: it starts workers and records what happens to the runs of its batch.

Ends with 0 when every run of its batch is rendered or recorded as failed; 64 when the sweep can never work; 75 when
store or device are unavailable; 143 after SIGTERM, with the runs in flight dropped and their marks cleared.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import tempfile
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from synth_api.errors import InputError
from synth_api.exit_codes import ExitCode
from synth_api.jobs.attempt_input import INPUT_FILE, INPUT_FOLDER, STARTED_FILE, AttemptInput
from synth_api.jobs.batches import SHARD_BATCHES
from synth_api.jobs.messages import MESSAGE_FILE, BatchMessage, Problem, write_message
from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Packaging
from synth_api.sentences import explain
from synth_api.temporary import find_temporary_folder
from synth_dataset.documents.document import DocumentError
from synth_dataset.stopper import Stopper, end_process, log_traceback
from synth_dataset.store.base import StoreError
from synth_dataset.store.folder_store import FolderStore
from synth_dataset.store.packing import SHARD_BYTES, Packer
from synth_dataset.store.s3_client import RENDER_PATIENCE, Patience
from synth_dataset.store.s3_store import open_store
from synth_renderer.kernels.gpus import find_least_memory
from synth_renderer.runtime.batch.gpu_clock import GpuClock
from synth_renderer.runtime.batch.inputs import EngineMismatchError, check_engine, open_batch
from synth_renderer.runtime.batch.progress import log_event
from synth_renderer.runtime.capacity import choose_pod_workers, choose_thread_counts, read_memory_limit
from synth_renderer.runtime.library_folders import choose_library_folders
from synth_renderer.runtime.pool import STARTUP_SECONDS, Pool, PoolUnavailableError, WorkerReady
from synth_renderer.runtime.stop_requests import StopRequests
from synth_renderer.runtime.worker_handle import WorkerCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dataset.stopper import StopSignal
    from synth_renderer.runtime.batch.progress import BatchWork

ENGINE: Final = "synth_renderer.engine:render"
WATERMARK_SHARE: Final = 0.6
"""Share of the memory limit above which the workers, all together, are replaced after their runs."""
MAX_WAIT_SECONDS: Final = 1800.0
"""Time after which a run is packed though it fills no shard: what a killed pod has not packed is rendered again."""
STOP_SECONDS: Final = 30.0
"""Time to stop the workers and update the store; less than a pod's default grace period."""


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
        end_process(ExitCode.STOPPED if code and stopper.is_stopping.is_set() else code)


def _run(options: argparse.Namespace, stopper: Stopper) -> ExitCode:
    given = AttemptInput.read(options.input)
    check_engine(given)
    store = open_store(given, Patience(RENDER_PATIENCE, stop=stopper.is_stopping))
    sweep = given.build_sweep()
    packer = (
        Packer(_open_local_store(), store, options.shard_bytes, MAX_WAIT_SECONDS)
        if given.packaging is Packaging.SHARDS
        else None
    )
    work = open_batch(store, given, sweep, options.shard * SHARD_BATCHES + options.index, packer)
    work.take_over(options.retries_per_run)
    requests = StopRequests()
    stopper.tidy_up = partial(_request_stop, requests)
    if stopper.is_stopping.is_set():
        requests.ensure()
    place = f"--store={packer.source.location}" if packer else f"--input={options.input}"
    pool = _build_pool(options, place, work.open_runs, requests, prepare_device=sweep.has_traced_pictures)
    problem = _render_runs(work, pool, options)
    unsaved = _save(work)
    work.write_message(options.message)
    if stopper.is_stopping.is_set():
        return ExitCode.OK if work.is_over else ExitCode.STOPPED
    keep_tables(work)
    problem = problem or unsaved
    return _report_problem(work, problem, options) if problem else ExitCode.OK


def _report_problem(work: BatchWork, problem: Problem, options: argparse.Namespace) -> ExitCode:
    """Write the reason why runs are left into log and message, and return the exit code."""
    code = ExitCode.BUG if problem.reason is Reason.WORKER_FAILED else ExitCode.TRY_AGAIN
    log_event("ended", code=int(code), reason=problem.reason, message=problem.message)
    work.write_message(options.message, problem)
    return code


def _request_stop(requests: StopRequests) -> None:
    """Have the main thread stop the workers and end the process."""
    log_event("stopping")
    requests.ensure()
    threading.Event().wait()


def _open_local_store() -> FolderStore:
    """Return the store to which workers commit runs that are packed; it goes with the pod."""
    return FolderStore(Path(tempfile.mkdtemp(prefix="runs-", dir=find_temporary_folder())))


def _build_pool(
    options: argparse.Namespace, place: str, runs: int, requests: StopRequests, *, prepare_device: bool
) -> Pool:
    """Return the pool; `place` is the argument of its workers that says where runs go."""
    size = choose_pod_workers(options.workers, runs, find_least_memory() if options.gpus else None)
    watermark = int(WATERMARK_SHARE * (options.memory_limit or read_memory_limit()) / size)
    arguments = (
        *(place, f"--device={options.device}"),
        *(f"--engine={options.engine}", f"--watermark={watermark}"),
        *(["--prepare-device"] if prepare_device else []),
    )
    temporary = find_temporary_folder()
    environment = {**choose_thread_counts(size), **choose_library_folders(os.environ, temporary)}
    command = WorkerCommand(arguments, temporary, environment=environment)
    return Pool(command, size, requests, options.retries_per_run, options.startup_seconds)


def _render_runs(work: BatchWork, pool: Pool, options: argparse.Namespace) -> Problem | None:
    """Render the runs that have not ended; return the reason why some are left. Workers stop at the first problem."""
    problem = None
    clock = GpuClock(options.gpus)
    try:
        for event in pool.events(work.iterate_tasks(), work.list_suspects()):
            try:
                work.record(event, clock)
                if problem is None:
                    work.pack()
                if isinstance(event, WorkerReady):
                    _show_start(options.started)
                if not work.has_waiting_runs and not pool.stop.count:  # the next mark would save it otherwise
                    work.save()
            except StoreError as error:
                problem = problem or Problem(reason=error.reason, message=explain(error))
                pool.stop.ensure()
            work.write_message(options.message)
    except PoolUnavailableError as error:
        problem = problem or Problem(reason=error.reason, message=explain(error))
    return problem


def _show_start(file: Path) -> None:
    """Let the startup probe succeed."""
    with suppress(OSError):  # without the file the pod is seen to start up, and renders all the same
        file.touch()


def _save(work: BatchWork) -> Problem | None:
    """Pack the rendered runs and write the document, whose marks are cleared; an unavailable store keeps them."""
    try:
        work.pack(all_runs=True)
        work.save()
    except StoreError as error:
        log_event("batch document not written", reason=error.reason, message=explain(error))
        return Problem(reason=error.reason, message=explain(error))
    return None


def keep_tables(work: BatchWork) -> None:
    """Keep the particle tables of a batch whose runs have ended; without them the commit reads those of its runs."""
    try:
        work.keep_tables()
    except (StoreError, OSError) as error:
        log_event("particle tables not kept", message=explain(error))


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
    parser.add_argument("--started", type=Path, default=Path(STARTED_FILE), help="file that ends the start-up")
    parser.add_argument("--startup-seconds", type=float, default=STARTUP_SECONDS, help="limit of the start-up")
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--index", type=int, default=index, required=index is None, help="batch of the shard")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs of the pod")
    parser.add_argument("--workers", type=int, help="runs in flight at a time; left out: what limits allow")
    parser.add_argument("--retries-per-run", type=int, default=2)
    parser.add_argument("--memory-limit", type=int, help="bytes; left out: the container's")
    parser.add_argument("--shard-bytes", type=int, default=SHARD_BYTES, help="bytes of runs that fill a shard")
    parser.add_argument("--engine", default=os.environ.get("SYNTH_ENGINE", ENGINE), help="module:function")
    return parser.parse_args(arguments)
