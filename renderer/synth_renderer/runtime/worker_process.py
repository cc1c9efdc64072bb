"""`python -m synth_renderer.runtime.worker_process`: a process that renders assigned runs one after another.

It talks to its pool over the socket `--channel`; Blender prints to stdout, which is the log. It ends when the channel
closes, past its memory watermark, and on SIGTERM or its parent's death (143: the run in flight is dropped, unless it is
being committed; at the latest after STOP_SECONDS or those of a pod). It always ends by `os._exit`: bpy 4.5 can
hang in a static destructor.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import psutil

from synth_api.exit_codes import ExitCode
from synth_api.reasons import FailureReason
from synth_api.sentences import explain
from synth_dataset.stopper import Stopper, StopSignal, end_process, log_traceback
from synth_dataset.store.base import StoreError
from synth_dataset.store.folder_store import FolderStore
from synth_renderer.runtime.parent_death import kill_with_parent, terminate_after_parent
from synth_renderer.runtime.process import load_engine, load_preparation, log_line, watch_compilation
from synth_renderer.runtime.protocol import Compiling, Preparing, Ready, RunTask, Unavailable, encode_message
from synth_renderer.runtime.worker import Worker, WorkerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth_dataset.documents.run_manifest import GpuRecord
    from synth_dataset.store.base import Store
    from synth_renderer.runtime.protocol import WorkerMessage

WATERMARK_BYTES: Final = 2 << 30
"""Bytes of resident memory past which a worker is replaced after its run; a run of 600 beads needs a quarter of it."""
STOP_SECONDS: Final = 8.0
"""Time for a worker to drop its run, or to commit it; less than the pool's STOP_GRACE_SECONDS."""
POD_STOP_SECONDS: Final = 20.0
"""The same with a store to which a commit takes longer."""


class Channel:
    """The worker's end of the socket; `send` may be called from any thread."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._lines = self._socket.makefile("rb")

    def send(self, message: WorkerMessage) -> None:
        """Send one message; ignore a pool that has ended, because the closed channel then ends the worker."""
        try:
            self._socket.sendall(encode_message(message))
        except OSError:
            log_line("the pool has ended")

    def receive_task(self) -> RunTask | None:
        """Wait for the next run; None when the channel is closed."""
        try:
            line = self._lines.readline()
        except OSError:
            return None
        return RunTask.model_validate_json(line) if line else None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Render runs until the channel closes; never returns."""
    faulthandler.enable()
    code = ExitCode.BUG
    try:
        code = _run(_parse(arguments))
    except BaseException:
        log_traceback()
    finally:
        end_process(code)


def _run(options: argparse.Namespace) -> ExitCode:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopper = Stopper(StopSignal(), POD_STOP_SECONDS if options.input else STOP_SECONDS)
    terminate_after_parent(options.parent)
    channel = Channel(options.channel)
    try:
        store = _open_store(options, stopper)
    except StoreError as error:
        channel.send(Unavailable(reason=error.reason, message=explain(error)))
        return ExitCode.TRY_AGAIN
    worker = Worker(store, load_engine(options.engine), options.device)
    stopper.tidy_up = partial(_drop_run, worker, channel)
    watch_compilation(options.engine, lambda seconds: channel.send(Compiling(seconds=seconds)))
    try:
        gpu = _prepare_device(worker, channel, options.engine) if options.prepare_device else None
    except WorkerUnavailableError as error:
        channel.send(Unavailable(reason=error.reason, message=explain(error)))
        return ExitCode.TRY_AGAIN
    channel.send(Ready(gpu=gpu))
    return _serve(worker, channel, options.watermark)


def _open_store(options: argparse.Namespace, stopper: Stopper) -> Store:
    """Return the store in a folder, or that of a pod's input. Raises StoreError."""
    if options.input is None:
        # Absolute: bpy resolves relative paths against $PWD, which may differ from the working folder.
        return FolderStore(options.store.resolve())
    # Only here: a worker on a laptop would import the S3 client in vain.
    from synth_api.jobs.attempt_input import AttemptInput
    from synth_dataset.store.s3_client import RENDER_PATIENCE, Patience
    from synth_dataset.store.s3_store import open_store

    return open_store(AttemptInput.read(options.input), Patience(RENDER_PATIENCE, stop=stopper.is_stopping))


def _prepare_device(worker: Worker, channel: Channel, engine: str) -> GpuRecord | None:
    """Return the GPU, once it is ready for the first run. Raises WorkerUnavailableError."""
    preparation = load_preparation(engine)
    if preparation is None:
        return None
    return worker.prepare_device(preparation, lambda sentence: channel.send(Preparing(sentence=sentence)))


def _serve(worker: Worker, channel: Channel, watermark: int) -> ExitCode:
    memory = psutil.Process().memory_info
    while (task := channel.receive_task()) is not None:
        with worker.commit_lock:
            try:
                report = worker.render_run(task)
            except WorkerUnavailableError as error:
                channel.send(Unavailable(reason=error.reason, message=explain(error)))
                return ExitCode.TRY_AGAIN
            # What Cycles leaves on a full GPU goes with its process.
            is_last = memory().rss > watermark or report.reason == FailureReason.OUT_OF_GPU_MEMORY
            channel.send(report.model_copy(update={"is_last": is_last}))
        if is_last:
            break
    return ExitCode.OK


def _drop_run(worker: Worker, channel: Channel) -> None:
    """Drop the run in flight, after a commit that has begun."""
    kill_with_parent()
    worker.commit_lock.acquire()
    dropped = worker.drop_run()
    if dropped is not None:
        channel.send(dropped)
        log_line(f"stopping: run {dropped.number} dropped")
    else:
        log_line("stopping: no run in flight")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="synth_renderer.runtime.worker_process")
    parser.add_argument("--channel", type=int, required=True, help="file descriptor of the socket to the pool")
    parser.add_argument("--parent", type=int, required=True, help="process id of the pool")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--store", type=Path, help="folder")
    place.add_argument("--input", type=Path, help="input file of a pod, with the address of its store")
    parser.add_argument("--device", required=True)
    parser.add_argument("--engine", required=True, help="module:function")
    parser.add_argument("--prepare-device", action="store_true", help="runs have traced pictures")
    parser.add_argument("--watermark", type=int, default=WATERMARK_BYTES, help="bytes")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
