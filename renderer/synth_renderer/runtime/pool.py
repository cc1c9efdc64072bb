"""Worker processes that render runs: a worker that dies affects no other, and every wait has a deadline."""

from __future__ import annotations

import selectors
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from synth_api.exit_codes import ExitCode
from synth_api.reasons import FailureReason
from synth_renderer.runtime.protocol import Ready, RunReport, RunTask, Unavailable
from synth_renderer.runtime.worker_handle import WorkerCommand, WorkerHandle, describe_exit

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RETRIES: Final = 2
"""Further tries of a run whose worker died; the default of `retriesPerRun` (docs/contracts.md, section 6)."""
MAX_FAILED_STARTS: Final = 3
"""Consecutive workers that end before they are ready; then the installation is broken, not a run."""
STOP_GRACE_SECONDS: Final = 20.0
"""Seconds for a worker to drop its run."""
END_GRACE_SECONDS: Final = 10.0
"""Seconds for a worker without a run to end."""


class PoolUnavailableError(RuntimeError):
    """No run can be rendered here now: no device, no store, or workers that do not start. Exit code 75."""


class StopRequests(Protocol):
    """Requests to stop, by Ctrl-C or SIGTERM; `fileno` becomes readable whenever `count` rises."""

    @property
    def count(self) -> int:
        """Requests so far. 0: continue; 1: drop the runs in flight; 2: kill the workers."""

    def fileno(self) -> int:
        """A file descriptor to wait on."""

    def drain(self) -> None:
        """Make `fileno` unreadable until the next request."""


@dataclass(frozen=True)
class RunStarted:
    """A worker has received a run; `attempt` counts from 1."""

    task: RunTask
    attempt: int


@dataclass(frozen=True)
class RunEnded:
    """A run is terminal, or dropped because of the stop signal."""

    task: RunTask
    report: RunReport


@dataclass
class Pool:
    """Renders runs in at most `size` worker processes, started when there is a run and replaced when they end.

    `events` may be called once.
    """

    command: WorkerCommand
    size: int
    stop: StopRequests
    retries: int = MAX_RETRIES
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector, init=False)
    _workers: list[WorkerHandle] = field(default_factory=list, init=False)
    _requeued: deque[RunTask] = field(default_factory=deque, init=False)
    _deaths: dict[int, int] = field(default_factory=dict, init=False)
    _failed_starts: int = field(default=0, init=False)
    _applied_requests: int = field(default=0, init=False)

    def events(self, tasks: Iterator[RunTask]) -> Iterator[RunStarted | RunEnded]:
        """Render `tasks`, taken one at a time as workers become free; ends when all are terminal or it is stopped.

        Raises PoolUnavailableError. No worker outlives the iteration, also after an error.
        """
        self._selector.register(self.stop, selectors.EVENT_READ)
        try:
            while True:
                self._apply_stop_requests()
                yield from self._assign_tasks(tasks)
                if not self._workers:
                    return
                yield from self._wait_for_events()
        finally:
            self._end_workers()

    def _assign_tasks(self, tasks: Iterator[RunTask]) -> Iterator[RunStarted]:
        """Assign a run to each idle worker, start workers up to the pool's size, and finish those without a run."""
        while not self._applied_requests:
            idle = next((worker for worker in self._workers if worker.is_idle), None)
            if idle is None and len(self._workers) >= self.size:
                return
            task = self._requeued.popleft() if self._requeued else next(tasks, None)
            if task is None:
                break
            worker = idle or self._start_worker()
            worker.assign(task)
            self._update_events(worker)
            yield RunStarted(task, self._deaths.get(task.number, 0) + 1)
        for worker in self._workers:
            if worker.is_idle:
                worker.finish(END_GRACE_SECONDS)

    def _start_worker(self) -> WorkerHandle:
        try:
            worker = WorkerHandle(self.command)
        except OSError as error:  # its log, or a limit of processes, files or memory
            where = f"{error.filename}: " if error.filename else ""
            raise PoolUnavailableError(f"no worker can be started: {where}{error.strerror}") from error
        self._workers.append(worker)
        self._selector.register(worker.exit_descriptor, selectors.EVENT_READ, worker)
        self._selector.register(worker.channel, selectors.EVENT_READ, worker)
        return worker

    def _update_events(self, worker: WorkerHandle) -> None:
        """Wait for a writable channel only while there are bytes to send."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.has_unsent else 0)
        if worker.channel in self._selector.get_map():
            self._selector.modify(worker.channel, events, worker)

    def _wait_for_events(self) -> Iterator[RunEnded]:
        """Wait for the next event or deadline and handle it."""
        deadlines = [worker.kill_time for worker in self._workers if worker.kill_time is not None]
        timeout = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        for key, events in self._selector.select(timeout):
            if key.fileobj is self.stop:
                self.stop.drain()
                continue
            worker: WorkerHandle = key.data
            if worker not in self._workers:
                continue
            if events & selectors.EVENT_WRITE:
                worker.flush()
                self._update_events(worker)
            yield from self._receive_messages(worker)
            if key.fileobj == worker.exit_descriptor:
                yield from self._reap(worker)
        for worker in self._workers:
            if worker.kill_time is not None and time.monotonic() >= worker.kill_time:
                worker.kill()

    def _receive_messages(self, worker: WorkerHandle) -> Iterator[RunEnded]:
        messages, is_open = worker.receive()
        for message in messages:
            if isinstance(message, Ready):
                worker.is_ready = True
                self._failed_starts = 0
            elif isinstance(message, Unavailable):
                raise PoolUnavailableError(message.message)
            elif worker.task is not None and message.outcome != "dropped":
                task, worker.task = worker.task, None
                if message.is_last:
                    worker.finish(END_GRACE_SECONDS)
                yield RunEnded(task, message)
        if not is_open and worker.channel in self._selector.get_map():
            self._selector.unregister(worker.channel)
            worker.finish(END_GRACE_SECONDS)

    def _reap(self, worker: WorkerHandle) -> Iterator[RunEnded]:
        """Collect a dead worker's exit code; its run is tried again, fails or is dropped."""
        self._unregister(worker)
        code = worker.close()
        if not worker.is_ready and not self._applied_requests:
            self._count_failed_start(worker, code)
        task = worker.task
        if task is None:
            return
        if self._applied_requests:
            yield RunEnded(task, RunReport(number=task.number, outcome="dropped"))
        elif not worker.is_ready or code == ExitCode.STOPPED:
            self._requeued.append(task)
        else:
            yield from self._retry_or_fail(task, code)

    def _retry_or_fail(self, task: RunTask, code: int) -> Iterator[RunEnded]:
        deaths = self._deaths.pop(task.number, 0) + 1
        if deaths <= self.retries:
            self._deaths[task.number] = deaths
            self._requeued.append(task)
            return
        message = f"its worker {describe_exit(code)}, as in each of {deaths} attempts; see {self.command.log}"
        yield RunEnded(
            task, RunReport(number=task.number, outcome="failed", reason=FailureReason.WORKER_DIED, message=message)
        )

    def _count_failed_start(self, worker: WorkerHandle, code: int) -> None:
        self._failed_starts += 1
        if self._failed_starts >= MAX_FAILED_STARTS:
            raise PoolUnavailableError(
                f"{MAX_FAILED_STARTS} workers ended before they were ready, the last one {describe_exit(code)}; "
                f"the end of its log in {self.command.log}:\n{worker.read_log_tail()}"
            )

    def _apply_stop_requests(self) -> None:
        """Stop the workers at the first request, kill them at the second."""
        requests = self.stop.count
        if requests > self._applied_requests:
            self._applied_requests = requests
            for worker in self._workers:
                worker.kill() if requests > 1 else worker.stop(STOP_GRACE_SECONDS)

    def _unregister(self, worker: WorkerHandle) -> None:
        self._workers.remove(worker)
        self._selector.unregister(worker.exit_descriptor)
        if worker.channel in self._selector.get_map():
            self._selector.unregister(worker.channel)

    def _end_workers(self) -> None:
        """Stop the remaining workers, after an error or an iteration that the caller abandoned."""
        for worker in self._workers:
            worker.stop(STOP_GRACE_SECONDS)
        for worker in list(self._workers):
            self._unregister(worker)
            worker.wait()
        self._selector.close()
