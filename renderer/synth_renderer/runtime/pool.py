"""N worker processes that render runs; a worker that dies takes no neighbour along, and nothing here waits for ever."""

from __future__ import annotations

import selectors
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from synth_api.exit_codes import ExitCode
from synth_api.reasons import FailureReason
from synth_renderer.runtime.protocol import Ready, RunReport, RunTask, Unavailable
from synth_renderer.runtime.worker_handle import WorkerCommand, WorkerHandle, describe_death

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRIES: Final = 2
"""Further tries of a run whose worker died; the default of `retriesPerRun` (docs/contracts.md, section 6)."""
FAILED_STARTS: Final = 3
"""So many workers in a row that end before they are ready: the installation is broken, not a run."""
STOP_GRACE: Final = 20.0
"""Seconds for a worker to drop its run."""
END_GRACE: Final = 10.0
"""Seconds for a worker without a run to end."""


class PoolUnavailableError(RuntimeError):
    """No run can be rendered here now: no device, no store, or workers that do not start. Exit code 75."""


class StopSignal(Protocol):
    """The user's wish to stop; `fileno` becomes readable whenever `count` rises."""

    @property
    def count(self) -> int:
        """0: go on, 1: drop what is in flight, 2: end at once."""

    def fileno(self) -> int:
        """A file descriptor to wait on."""

    def drain(self) -> None:
        """Make `fileno` unreadable until the next wish."""


@dataclass(frozen=True)
class RunStarted:
    """A worker has been given a run; `attempt` counts from 1."""

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
    stop: StopSignal
    retries: int = RETRIES
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector, init=False)
    _workers: list[WorkerHandle] = field(default_factory=list, init=False)
    _again: deque[RunTask] = field(default_factory=deque, init=False)
    _deaths: dict[int, int] = field(default_factory=dict, init=False)
    _failed_starts: int = field(default=0, init=False)
    _heeded: int = field(default=0, init=False)

    def events(self, tasks: Iterator[RunTask]) -> Iterator[RunStarted | RunEnded]:
        """Render `tasks`, taken one at a time as workers become free; ends when all are terminal or it is stopped.

        Raises PoolUnavailableError. Whatever happens, no worker outlives the iteration.
        """
        self._selector.register(self.stop, selectors.EVENT_READ)
        try:
            while True:
                self._heed_stop()
                yield from self._hand_out(tasks)
                if not self._workers:
                    return
                yield from self._wait()
        finally:
            self._end_all()

    def _hand_out(self, tasks: Iterator[RunTask]) -> Iterator[RunStarted]:
        """Give a run to each worker that has none, starting workers up to the pool's size; else let it go."""
        while not self._heeded:
            idle = next((worker for worker in self._workers if worker.is_idle), None)
            if idle is None and len(self._workers) >= self.size:
                return
            task = self._again.popleft() if self._again else next(tasks, None)
            if task is None:
                break
            worker = idle or self._start()
            worker.give(task)
            self._watch(worker)
            yield RunStarted(task, self._deaths.get(task.number, 0) + 1)
        for worker in self._workers:
            if worker.is_idle:
                worker.dismiss(END_GRACE)

    def _start(self) -> WorkerHandle:
        try:
            worker = WorkerHandle(self.command)
        except OSError as error:  # its log, or a limit of processes, files or memory
            where = f"{error.filename}: " if error.filename else ""
            raise PoolUnavailableError(f"no worker can be started: {where}{error.strerror}") from error
        self._workers.append(worker)
        self._selector.register(worker.death, selectors.EVENT_READ, worker)
        self._selector.register(worker.channel, selectors.EVENT_READ, worker)
        return worker

    def _watch(self, worker: WorkerHandle) -> None:
        """Wait for its channel to become writable only while there is something to send."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.has_unsent else 0)
        if worker.channel in self._selector.get_map():
            self._selector.modify(worker.channel, events, worker)

    def _wait(self) -> Iterator[RunEnded]:
        """Sleep until something happens, and deal with it."""
        deadlines = [worker.kill_at for worker in self._workers if worker.kill_at is not None]
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
                self._watch(worker)
            yield from self._listen(worker)
            if key.fileobj == worker.death:
                yield from self._bury(worker)
        for worker in self._workers:
            if worker.kill_at is not None and time.monotonic() >= worker.kill_at:
                worker.kill()

    def _listen(self, worker: WorkerHandle) -> Iterator[RunEnded]:
        messages, is_open = worker.receive()
        for message in messages:
            if isinstance(message, Ready):
                worker.ready = True
                self._failed_starts = 0
            elif isinstance(message, Unavailable):
                raise PoolUnavailableError(message.message)
            elif worker.task is not None and message.outcome != "dropped":
                task, worker.task = worker.task, None
                if message.is_last:
                    worker.dismiss(END_GRACE)
                yield RunEnded(task, message)
        if not is_open and worker.channel in self._selector.get_map():
            self._selector.unregister(worker.channel)
            worker.dismiss(END_GRACE)

    def _bury(self, worker: WorkerHandle) -> Iterator[RunEnded]:
        """Settle the run that a dead worker leaves: tried again, failed, or dropped."""
        self._forget(worker)
        code = worker.close()
        if not worker.ready and not self._heeded:
            self._count_failed_start(worker, code)
        task = worker.task
        if task is None:
            return
        if self._heeded:
            yield RunEnded(task, RunReport(number=task.number, outcome="dropped"))
        elif not worker.ready or code == ExitCode.STOPPED:
            self._again.append(task)
        else:
            yield from self._retry_or_fail(task, code)

    def _retry_or_fail(self, task: RunTask, code: int) -> Iterator[RunEnded]:
        deaths = self._deaths.pop(task.number, 0) + 1
        if deaths <= self.retries:
            self._deaths[task.number] = deaths
            self._again.append(task)
            return
        message = f"its worker {describe_death(code)}, as in each of {deaths} attempts; see {self.command.log}"
        yield RunEnded(
            task, RunReport(number=task.number, outcome="failed", reason=FailureReason.WORKER_DIED, message=message)
        )

    def _count_failed_start(self, worker: WorkerHandle, code: int) -> None:
        self._failed_starts += 1
        if self._failed_starts >= FAILED_STARTS:
            raise PoolUnavailableError(
                f"{FAILED_STARTS} workers ended before they were ready, the last one {describe_death(code)}; "
                f"its last words in {self.command.log}:\n{worker.last_words()}"
            )

    def _heed_stop(self) -> None:
        """First wish: workers drop their runs. Second: they are killed."""
        wish = self.stop.count
        if wish > self._heeded:
            self._heeded = wish
            for worker in self._workers:
                worker.kill() if wish > 1 else worker.stop(STOP_GRACE)

    def _forget(self, worker: WorkerHandle) -> None:
        self._workers.remove(worker)
        self._selector.unregister(worker.death)
        if worker.channel in self._selector.get_map():
            self._selector.unregister(worker.channel)

    def _end_all(self) -> None:
        """Stop whoever is left, after an error or an iteration that was given up."""
        for worker in self._workers:
            worker.stop(STOP_GRACE)
        for worker in list(self._workers):
            self._forget(worker)
            worker.end()
        self._selector.close()
