"""What a replica does while it leads: watches, a queue, and workers that look at what is due."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from synth_operator.kube.api import ApiError
from synth_operator.kube.leader_election import NotLeadingError
from synth_operator.reconcile.apply import StaleError
from synth_operator.reconcile.queue import WorkQueue
from synth_operator.reconcile.reconciler import Reconciler
from synth_operator.watch.watches import NotWatchingError, Watches

if TYPE_CHECKING:
    from kubernetes import client

    from synth_operator.configuration import Configuration
    from synth_operator.kube.api import Api
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.watch.handlers import ObjectKey

log = logging.getLogger(__name__)

STUCK_SECONDS: Final = 120.0
"""Time after which an item that nobody has finished means that the workers are stuck."""


class Recorder(Protocol):
    """What a term tells the metrics."""

    def reconciled(self, seconds: float, *, ok: bool) -> None:
        """A sweep was looked at."""

    def heard(self, resource: str) -> None:
        """The watch of a resource is alive."""


class Term:
    """Begins with its making; `drain` and `end` finish it."""

    def __init__(
        self, api: Api, connection: client.Configuration, configuration: Configuration, recorder: Recorder
    ) -> None:
        self._recorder = recorder
        self._queue: WorkQueue[ObjectKey] = WorkQueue()
        self._watches = Watches(connection, configuration.namespaces, self._queue.add, recorder.heard)
        self._reconciler = Reconciler(api, self._watches, configuration)
        self._workers = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            for number in range(configuration.workers)
        ]
        self._watches.start()
        for worker in self._workers:
            worker.start()

    def drain(self) -> None:
        """Returns when the passes under way are finished; nothing is written afterwards."""
        self._queue.close()
        for worker in self._workers:
            worker.join()

    def end(self) -> None:
        """Returns when the watches have ended."""
        self._watches.stop()

    @property
    def problem(self) -> str:
        """One sentence when it does not do its work."""
        if self._watches.problem:
            return self._watches.problem
        oldest = self._queue.oldest
        return f"a sweep has waited for {oldest:.0f} s to be looked at" if oldest > STUCK_SECONDS else ""

    @property
    def depth(self) -> int:
        """Items that wait for a worker."""
        return self._queue.depth

    def sweeps(self) -> tuple[SweepObject, ...]:
        """All sweeps, as last seen."""
        return self._watches.sweeps()

    def _work(self) -> None:
        while (item := self._queue.take()) is not None:
            started = time.monotonic()
            ok = self._look(item)
            self._recorder.reconciled(time.monotonic() - started, ok=ok)

    def _look(self, item: ObjectKey) -> bool:
        try:
            again = self._reconciler.look(item)
        except (StaleError, NotWatchingError):
            self._queue.failed(item)
            return True
        except NotLeadingError:
            self._queue.done(item)
            return True
        except ApiError as error:
            log.warning(
                "tried again in %.1f s: %s", self._queue.failed(item), error, extra=self._reconciler.context(item)
            )
            return False
        except Exception:
            log.exception("tried again in %.1f s", self._queue.failed(item), extra=self._reconciler.context(item))
            return False
        self._queue.done(item)
        if again is not None:
            self._queue.add(item, again)
        return True
