"""Worker processes that render runs: a worker that dies affects no other, and every wait has a deadline."""

from __future__ import annotations

import selectors
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from synth_api.exit_codes import ExitCode
from synth_api.reasons import FailureReason, Reason
from synth_renderer.runtime.protocol import Compiling, Preparing, Ready, RunReport, RunTask, Unavailable
from synth_renderer.runtime.run_queue import RunQueue
from synth_renderer.runtime.worker_handle import WorkerCommand, WorkerHandle, describe_exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from synth_dataset.documents.run_manifest import GpuRecord
    from synth_renderer.runtime.run_queue import Try
    from synth_renderer.runtime.stop_requests import StopRequests
    from synth_renderer.runtime.worker_handle import WorkerStartup

MAX_RETRIES: Final = 2
"""Further tries of a run whose worker died; the default of `retriesPerRun` (docs/contracts.md, section 6)."""
MAX_FAILED_STARTS: Final = 3
"""Consecutive workers that end before they are ready; then the installation is broken, not a run."""
STOP_GRACE_SECONDS: Final = 22.0
"""Seconds for a worker to drop its run."""
STARTUP_SECONDS: Final = 1200.0
"""Seconds for a worker to prepare its device: more than any driver is known to need for compiling Cycles."""
NOTICE_SECONDS: Final = 10.0
"""Seconds between two notices of a worker that prepares its device."""
END_GRACE_SECONDS: Final = 10.0
"""Seconds for a worker without a run to end."""


class PoolUnavailableError(RuntimeError):
    """No run can be rendered here now: no device, no store, or workers that do not start."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class RunStarting:
    """A worker receives a run when the caller takes the next event; `attempt` counts from 1."""

    task: RunTask
    attempt: int


@dataclass(frozen=True)
class WorkerDied:
    """A run's worker has died; the run is tried again, or its end is the next event."""

    task: RunTask
    exit: str
    """What ended the worker: `was killed by SIGSEGV`."""
    deaths: int
    """Workers that the run has ended so far, without those that another run may have ended."""


@dataclass(frozen=True)
class RunEnded:
    """A run is terminal, or dropped because the pool stops."""

    task: RunTask
    report: RunReport


@dataclass(frozen=True)
class WorkerPreparing:
    """A worker prepares its device; reported at the start, and every `notice_seconds` as long as it lasts."""

    sentence: str
    seconds: float
    """Since the start."""


@dataclass(frozen=True)
class WorkerCompiling:
    """A worker compiles kernels for the first run on this machine."""

    seconds: float
    """Spent on that so far."""


@dataclass(frozen=True)
class WorkerReady:
    """A worker can render."""

    gpu: GpuRecord | None
    """None if the CPU traces, or nothing is traced."""
    seconds: float = 0.0
    """For which it prepared its device."""


PoolEvent = RunStarting | WorkerDied | RunEnded | WorkerPreparing | WorkerCompiling | WorkerReady


@dataclass
class Pool:
    """Renders runs in at most `size` worker processes, started when there are runs and replaced when they end.

    One worker starts alone, the others once it is ready: they find compiled what it had to compile. `events` may be
    called once.
    """

    command: WorkerCommand
    size: int
    stop: StopRequests
    retries: int = MAX_RETRIES
    startup_seconds: float = STARTUP_SECONDS
    notice_seconds: float = NOTICE_SECONDS
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector, init=False)
    _workers: list[WorkerHandle] = field(default_factory=list, init=False)
    _failed_starts: int = field(default=0, init=False)
    _applied_requests: int = field(default=0, init=False)
    _problem: PoolUnavailableError | None = field(default=None, init=False)

    def events(self, tasks: Iterator[RunTask], suspects: Iterable[Try] = ()) -> Iterator[PoolEvent]:
        """Render `suspects` one at a time, then `tasks`, taken as workers become free; ends when all are terminal.

        After a stop request or a worker's report that no run can be rendered here, the runs that are being committed
        are, the others in flight are dropped. Raises PoolUnavailableError at the end. No worker outlives the iteration.
        """
        queue = RunQueue.build(tasks, suspects)
        self._selector.register(self.stop, selectors.EVENT_READ)
        try:
            while True:
                self._apply_stop_requests()
                if not self._is_stopping:
                    yield from self._assign_tries(queue)
                    self._finish_spare_workers(queue)
                    self._start_workers(queue)
                if not self._workers:
                    break
                yield from self._wait_for_events(queue)
        finally:
            self._end_workers()
        if self._problem is not None:
            raise self._problem

    @property
    def _is_stopping(self) -> bool:
        return bool(self._applied_requests) or self._problem is not None

    def _is_exclusive(self, queue: RunQueue) -> bool:
        """Return True while a suspect waits or is rendered, which needs the whole machine or pod for itself."""
        return bool(queue.suspects) or any(worker.attempt and worker.attempt.is_suspect for worker in self._workers)

    def _assign_tries(self, queue: RunQueue) -> Iterator[RunStarting]:
        """Assign a try to each idle worker."""
        for worker in [worker for worker in self._workers if worker.is_ready and worker.is_idle]:
            if self._is_exclusive(queue) and len(self._workers) > 1:
                return
            worker.attempt = queue.take()
            if worker.attempt is None:
                return
            yield RunStarting(worker.attempt.task, worker.attempt.number)
            if not self.stop.count:
                worker.send_task()
                self._update_events(worker)

    def _finish_spare_workers(self, queue: RunQueue) -> None:
        """Finish idle workers that no try will need, all but one before a suspect is rendered."""
        idle = sorted((worker for worker in self._workers if worker.is_idle), key=lambda worker: not worker.is_ready)
        if self._is_exclusive(queue):
            idle = idle if any(worker.attempt for worker in self._workers) else idle[1:]
        elif queue.count(1):
            return
        for worker in idle:
            worker.finish(END_GRACE_SECONDS)

    def _start_workers(self, queue: RunQueue) -> None:
        is_first = not any(worker.is_ready for worker in self._workers)
        limit = 1 if is_first or self._is_exclusive(queue) else self.size
        starting = sum(worker.is_idle for worker in self._workers)
        for _ in range(min(limit - len(self._workers), queue.count(self.size) - starting)):
            self._start_worker()

    def _start_worker(self) -> None:
        try:
            worker = WorkerHandle(self.command)
        except OSError as error:  # its log, or a limit of processes, files or memory
            where = f"{error.filename}: " if error.filename else ""
            message = f"no worker can be started: {where}{error.strerror}"
            raise PoolUnavailableError(Reason.WORKER_FAILED, message) from error
        self._workers.append(worker)
        self._selector.register(worker.exit_descriptor, selectors.EVENT_READ, worker)
        self._selector.register(worker.channel, selectors.EVENT_READ, worker)

    def _update_events(self, worker: WorkerHandle) -> None:
        """Wait for a writable channel only while there are bytes to send."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.has_unsent else 0)
        if worker.channel in self._selector.get_map():
            self._selector.modify(worker.channel, events, worker)

    def _wait_for_events(self, queue: RunQueue) -> Iterator[PoolEvent]:
        """Wait for the next event or deadline and handle it."""
        deadlines = [worker.kill_time for worker in self._workers if worker.kill_time is not None]
        deadlines += [self._find_startup_time(worker.startup) for worker in self._workers if worker.startup is not None]
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
                yield from self._reap(worker, queue)
        for worker in self._workers:
            if worker.kill_time is not None and time.monotonic() >= worker.kill_time:
                worker.kill()
        yield from self._follow_startups()

    def _find_startup_time(self, startup: WorkerStartup) -> float:
        """Return when the next notice of a start-up is due, or its end."""
        return min(startup.next_notice, startup.began + self.startup_seconds)

    def _follow_startups(self) -> Iterator[WorkerPreparing]:
        """Report the workers that prepare their devices, and stop all when one takes too long."""
        for worker in [worker for worker in self._workers if worker.startup is not None]:
            startup, now = worker.startup, time.monotonic()
            assert startup is not None
            if now >= startup.began + self.startup_seconds:
                worker.startup = None
                message = f"{startup.sentence}: not done after {self.startup_seconds:.0f} s, the limit"
                self._stop_for(PoolUnavailableError(Reason.DEVICE_UNAVAILABLE, message))
            elif now >= startup.next_notice:
                startup.next_notice = now + self.notice_seconds
                yield WorkerPreparing(startup.sentence, now - startup.began)

    def _receive_messages(self, worker: WorkerHandle) -> Iterator[PoolEvent]:
        messages, is_open = worker.receive()
        for message in messages:
            if isinstance(message, Preparing):
                worker.begin_startup(message.sentence)
                yield from self._follow_startups()
            elif isinstance(message, Compiling):
                yield WorkerCompiling(message.seconds)
            elif isinstance(message, Ready):
                yield self._welcome(worker, message)
            elif isinstance(message, Unavailable):
                self._stop_for(PoolUnavailableError(message.reason, message.message))
            elif worker.attempt is not None and (message.outcome != "dropped" or self._is_stopping):
                task, worker.attempt = worker.attempt.task, None
                if message.is_last:
                    worker.finish(END_GRACE_SECONDS)
                yield RunEnded(task, message)
        if not is_open and worker.channel in self._selector.get_map():
            self._selector.unregister(worker.channel)
            worker.finish(END_GRACE_SECONDS)

    def _welcome(self, worker: WorkerHandle, message: Ready) -> WorkerReady:
        startup, worker.startup = worker.startup, None
        worker.is_ready = True
        self._failed_starts = 0
        return WorkerReady(message.gpu, time.monotonic() - startup.began if startup else 0.0)

    def _reap(self, worker: WorkerHandle, queue: RunQueue) -> Iterator[WorkerDied | RunEnded]:
        """Collect a dead worker's exit code; its run is tried again, fails or is dropped."""
        self._unregister(worker)
        code = worker.close()
        if not worker.is_ready and not self._is_stopping:
            self._count_failed_start(worker, code)
        if worker.attempt is None:
            return
        if self._is_stopping:
            task = worker.attempt.task
            yield RunEnded(task, RunReport(number=task.number, outcome="dropped"))
        elif code == ExitCode.STOPPED:
            queue.put_back(worker.attempt)
        else:
            yield from self._retry_or_fail(worker.attempt, code, queue)

    def _retry_or_fail(self, attempt: Try, code: int, queue: RunQueue) -> Iterator[WorkerDied | RunEnded]:
        # The kernel kills one process when all together need too much memory.
        is_certain = code != -signal.SIGKILL or not self._workers
        attempt = attempt.add_death(is_certain=is_certain)
        task, deaths = attempt.task, attempt.deaths
        yield WorkerDied(task, describe_exit(code), deaths)
        if deaths <= self.retries:
            queue.put_back(attempt)
            return
        message = f"its worker {describe_exit(code)}, as in each of {deaths} attempts"
        message += f"; see {self.command.log}" if self.command.log else ""
        yield RunEnded(
            task, RunReport(number=task.number, outcome="failed", reason=FailureReason.WORKER_DIED, message=message)
        )

    def _count_failed_start(self, worker: WorkerHandle, code: int) -> None:
        """Do without a further worker that does not start beside others. Raises PoolUnavailableError if none starts."""
        self._failed_starts += 1
        if self._failed_starts < MAX_FAILED_STARTS:
            return
        if any(other.is_ready for other in self._workers):
            self.size, self._failed_starts = len(self._workers), 0
            return
        end = worker.read_log_tail()
        raise PoolUnavailableError(
            Reason.WORKER_FAILED,
            f"{MAX_FAILED_STARTS} workers ended before they were ready, the last one {describe_exit(code)}; "
            + (f"the end of its log in {self.command.log}:\n{end}" if end else "their log says why"),
        )

    def _apply_stop_requests(self) -> None:
        """Stop the workers at the first request, kill them at the second."""
        requests = self.stop.count
        if requests > self._applied_requests:
            self._applied_requests = requests
            for worker in self._workers:
                worker.kill() if requests > 1 else worker.stop(STOP_GRACE_SECONDS)

    def _stop_for(self, problem: PoolUnavailableError) -> None:
        """Stop all workers because of a problem that they share."""
        self._problem = self._problem or problem
        for worker in self._workers:
            worker.stop(STOP_GRACE_SECONDS)

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
