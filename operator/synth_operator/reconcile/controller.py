"""Controller: watches, a work queue and reconcile threads, for as long as this replica leads."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from synth_operator.kube.api import ApiError, find_by_name
from synth_operator.kube.leader_election import NotLeadingError
from synth_operator.kube.owner import OWNER_LABELS
from synth_operator.reconcile.apply import StaleError
from synth_operator.reconcile.checker import Checker, CheckPendingError
from synth_operator.reconcile.gpu_hours_record import GpuHoursRecord
from synth_operator.reconcile.internal_error import report_internal_error
from synth_operator.reconcile.limiter import Limiter
from synth_operator.reconcile.limits_report import LimitsReport
from synth_operator.reconcile.queue import WorkQueue
from synth_operator.reconcile.reconciler import Reconciler
from synth_operator.watch.kopf_setup import ObjectKey
from synth_operator.watch.watches import NotWatchingError, Watches

if TYPE_CHECKING:
    from kubernetes import client

    from synth_operator.configuration import Configuration
    from synth_operator.kube.api import Api
    from synth_operator.kube.packed_object import PackedObject
    from synth_operator.reconcile.checker import Checks
    from synth_operator.reconcile.limiter import NamespaceUse

log = logging.getLogger(__name__)

_SHARE: Final = 0.75
"""Share of the reconcile threads that one namespace may hold."""
_OWN_FAULTS: Final = (400, 413, 422)
"""Codes of the API for what the operator should not have sent."""


class Recorder(Protocol):
    """Metrics that a controller updates."""

    def record_reconcile(self, seconds: float, *, ok: bool) -> None:
        """Record one reconcile and its duration."""

    def record_internal_error(self, resource: str) -> None:
        """Record a pass over a sweep, recipe or dataset that raised."""

    def record_watch_activity(self, resource: str) -> None:
        """Record that the watch of a resource is alive now."""


class Controller:
    """Starts when it is constructed; `drain` and then `stop_watches` end it."""

    def __init__(
        self,
        api: Api,
        connection: client.Configuration,
        configuration: Configuration,
        checks: Checks,
        recorder: Recorder,
    ) -> None:
        self._api = api
        self._recorder = recorder
        share = max(1, int(configuration.workers * _SHARE))
        self._queue: WorkQueue[ObjectKey] = WorkQueue(lambda key: key.namespace, share)
        fetch = partial(find_by_name, api)
        self._watches = Watches(
            connection, configuration.namespaces, self._queue.add, recorder.record_watch_activity, fetch
        )
        checker = Checker(checks, configuration.find_output, self._queue.add)
        record = GpuHoursRecord(api, configuration.lease)
        self._limiter = Limiter(configuration.limits, self._watches.list_names, record.load, self._queue.add)
        self._limits_report = None if configuration.limits.is_empty else LimitsReport(api, self._limiter, record)
        self._reconciler = Reconciler(api, self._watches, checker, self._limiter, configuration)
        self._workers = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            for number in range(configuration.workers)
        ]
        self._watches.start()
        for worker in self._workers:
            worker.start()
        if self._limits_report:
            self._limits_report.start()

    def drain(self) -> None:
        """Wait until the reconciles in progress have ended; the controller writes nothing afterwards."""
        self._queue.close()
        for worker in self._workers:
            worker.join()
        if self._limits_report:
            self._limits_report.stop()

    def stop_watches(self) -> None:
        """Stop the watches and wait until they have ended."""
        self._watches.stop()

    @property
    def death(self) -> str:
        """One sentence if a thread has ended that should not have, else empty; no sweep can cause one."""
        dead = [worker.name for worker in self._workers if not worker.is_alive()]
        if not self._watches.is_alive:
            dead.append("the watches")
        return f"threads have ended: {', '.join(dead)}" if dead else ""

    @property
    def problem(self) -> str:
        """One sentence if no one should rely on this replica: a thread has ended or a watch is stale; else empty."""
        return self.death or self._watches.problem

    @property
    def queue_depth(self) -> int:
        """Number of keys that wait for a reconcile thread."""
        return self._queue.depth

    @property
    def queue_seconds(self) -> float:
        """Longest time, in seconds, that a key has waited for a reconcile thread or been worked on."""
        return self._queue.oldest_seconds

    def list_sweeps(self) -> tuple[PackedObject, ...]:
        """Return all sweeps in the watches' cache."""
        return self._watches.list_sweeps()

    def list_datasets(self) -> tuple[PackedObject, ...]:
        """Return all datasets in the watches' cache."""
        return self._watches.list_datasets()

    def list_uses(self) -> tuple[NamespaceUse, ...]:
        """Return limits and use of every namespace that has both limits and sweeps or datasets."""
        return self._limiter.list_uses(datetime.now(UTC))

    def _work(self) -> None:
        while (key := self._queue.take()) is not None:
            started = time.monotonic()
            ok = self._reconcile(key)
            self._recorder.record_reconcile(time.monotonic() - started, ok=ok)

    def _reconcile(self, key: ObjectKey) -> bool:
        """Reconcile one object and queue its next pass; return False after an error."""
        try:
            requeue_after = self._reconciler.reconcile(key)
        except (StaleError, NotWatchingError):
            self._queue.retry(key)
            return True
        except (NotLeadingError, CheckPendingError):
            self._queue.finish(key)
            return True
        except ApiError as error:
            delay = self._queue.retry(key)
            log.warning("retrying in %.1f s: %s", delay, error, extra=self._reconciler.build_log_fields(key))
            if error.code in _OWN_FAULTS:
                self._report(key, error)
            return False
        except Exception as error:
            delay = self._queue.retry(key)
            log.exception("retrying in %.1f s", delay, extra=self._reconciler.build_log_fields(key))
            self._report(key, error)
            return False
        self._queue.finish(key)
        if requeue_after is not None:
            self._queue.add(key, requeue_after)
        return True

    def _report(self, key: ObjectKey, error: Exception) -> None:
        """Count an error of the operator and write it as a condition; the next pass writes what fails here."""
        self._recorder.record_internal_error(key.resource.plural)
        if key.resource in OWNER_LABELS:
            self._limiter.pass_over(key)
        try:
            report_internal_error(self._api, self._watches, key, error, datetime.now(UTC))
        except Exception as failure:
            log.warning("the condition is not written: %s", failure, extra=self._reconciler.build_log_fields(key))
