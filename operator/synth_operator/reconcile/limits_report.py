"""Report of limits: GPU hours of the day for the next leader, and for users the use of their namespace's limits."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from synth_api.jobs.names import MANAGED_BY_LABEL, MANAGER
from synth_api.resources.namespace_limits import REPORT_KEY, REPORT_NAME, LimitsUse
from synth_operator.kube.api import CONFLICT, ApiError, Resource
from synth_operator.kube.leader_election import NotLeadingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth_operator.kube.api import Api
    from synth_operator.reconcile.gpu_hours_record import GpuHoursRecord
    from synth_operator.reconcile.limiter import Limiter, NamespaceUse

log = logging.getLogger(__name__)

_TICK_SECONDS: Final = 5.0
_INTERVAL_SECONDS: Final = 60.0
_HOURS: Final = ""
"""Key of the GPU hours among the namespaces."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LimitsReport:
    """Writes each ConfigMap at most once a minute, in a thread of its own, from `start` to `stop`."""

    def __init__(
        self,
        api: Api,
        limiter: Limiter,
        record: GpuHoursRecord,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._api = api
        self._limiter = limiter
        self._record = record
        self._clock = clock
        self._now = now
        self._due: dict[str, float] = {}
        self._written: dict[str, object] = {}
        """What was written last, by namespace."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="limits-report", daemon=True)

    def start(self) -> None:
        """Start to write, in the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write the GPU hours that are not written yet, and end the thread; call it while this replica leads."""
        self._stopped.set()
        self._thread.join()
        self._due.clear()
        self._write_hours()

    def write(self) -> None:
        """Write what has changed and was not written within the last minute."""
        self._write_hours()
        for namespace in self._limiter.list_uses(self._now()):
            report = _build_report(namespace)
            self._write_if_due(namespace.namespace, report, partial(self._publish, namespace.namespace, report))

    def _write_hours(self) -> None:
        days = self._limiter.list_days(self._now())
        if days is not None:
            self._write_if_due(_HOURS, days, partial(self._record.save, days))

    def _write_if_due(self, name: str, content: object, write: Callable[[], None]) -> None:
        if self._clock() < self._due.get(name, float("-inf")) or self._written.get(name) == content:
            return
        self._due[name] = self._clock() + _INTERVAL_SECONDS
        try:
            write()
        except (ApiError, NotLeadingError) as error:
            log.warning("limits of namespace '%s' are not reported: %s", name, error)
        else:
            self._written[name] = content

    def _publish(self, namespace: str, text: str) -> None:
        """Write the ConfigMap with the report, unless a user's object has its name."""
        labels = {MANAGED_BY_LABEL: MANAGER}
        body = {
            "apiVersion": Resource.INPUTS.api_version,
            "kind": Resource.INPUTS.kind,
            "metadata": {"name": REPORT_NAME, "namespace": namespace, "labels": labels},
            "data": {REPORT_KEY: text},
        }
        existing = self._api.read(Resource.INPUTS, namespace, REPORT_NAME)
        if existing is None:
            self._api.create(Resource.INPUTS, namespace, body)
        elif labels.items() <= (existing["metadata"].get("labels") or {}).items():
            self._api.patch(Resource.INPUTS, namespace, REPORT_NAME, {"data": body["data"]})
        else:
            raise ApiError(CONFLICT, "AlreadyExists", f"ConfigMap '{REPORT_NAME}' belongs to something else")

    def _run(self) -> None:
        while not self._stopped.wait(_TICK_SECONDS):
            self.write()


def _build_report(namespace: NamespaceUse) -> str:
    use = {name: round(amount, 2) for name, amount in namespace.use.items()}
    return LimitsUse(limits=namespace.limits, use=use, waiting=namespace.waiting).model_dump_json(exclude_none=True)
