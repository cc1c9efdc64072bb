"""Leader election: one replica holds and renews a Lease; if it cannot renew it in time, it stops writing in time."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from synth_operator.kube.api import Api, ApiError, JsonObject, Resource

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from synth_operator import configuration

log = logging.getLogger(__name__)

_RENEWALS_PER_LEASE: Final = 3
_RENEW_DEADLINE: Final = 2 / 3
"""Share of the lease's duration after which a leader without a renewal stops leading."""
_RETRY_SECONDS: Final = 1.0


class NotLeadingError(Exception):
    """A write was refused because this replica does not hold the lease."""


class Leadership:
    """State of the lease as one replica knows it.

    Only this process's own clock counts: another holder has expired if its record did not change for the duration of
    the lease since this replica first saw it. So the clocks of the machines need not agree.
    """

    def __init__(
        self,
        api: Api,
        lease: configuration.Lease,
        identity: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._lease = lease
        self._identity = identity
        self._clock = clock
        self._record: JsonObject | None = None
        self._observed_version = ""
        self._observed_time = clock()
        self._renew_time: float | None = None
        self.last_answer_time = clock()
        """Time of the API's last answer, by `clock`."""

    @property
    def is_leading(self) -> bool:
        """True if this replica may write now."""
        if self._renew_time is None:
            return False
        return self._clock() - self._renew_time < self._lease.duration_seconds * _RENEW_DEADLINE

    def ensure_leading(self) -> None:
        """Raise NotLeadingError unless this replica may write now."""
        if not self.is_leading:
            raise NotLeadingError

    def acquire(self, stop: threading.Event) -> bool:
        """Block until this replica holds the lease; return False if `stop` is set first."""
        while not stop.is_set():
            if self.try_acquire_or_renew():
                log.info("leading", extra={"identity": self._identity})
                return True
            stop.wait(_RETRY_SECONDS)
        return False

    def renew_until(self, stop: threading.Event) -> None:
        """Renew the lease until `stop` is set or the lease is lost."""
        interval = self._lease.duration_seconds / _RENEWALS_PER_LEASE
        while self.is_leading and not stop.wait(interval if self._is_fresh(interval) else _RETRY_SECONDS):
            self.try_acquire_or_renew()
        if not self.is_leading:
            self._record = None
            log.warning("leadership lost", extra={"identity": self._identity})

    def release(self) -> None:
        """Give up the lease so that another replica can take it at once."""
        if not self.is_leading or self._record is None:
            return
        record, self._record, self._renew_time = self._record, None, None
        try:
            self._write(record, {"holderIdentity": "", "leaseDurationSeconds": 1})
        except ApiError as error:
            log.info("lease not released: %s", error)

    def try_acquire_or_renew(self) -> bool:
        """Try once to take or renew the lease; return True on success."""
        started = self._clock()
        try:
            record = self._record or self._api.read(Resource.LEASES, *self._name)
            self.last_answer_time = self._clock()
            written = self._create() if record is None else self._take_over(record)
        except ApiError as error:
            self._record = None
            log.log(logging.WARNING if self.is_leading else logging.DEBUG, "lease not renewed: %s", error)
            return False
        if written is None:
            return False
        self._record, self._renew_time, self.last_answer_time = written, started, self._clock()
        return True

    @property
    def _name(self) -> tuple[str, str]:
        return self._lease.namespace, self._lease.name

    def _is_fresh(self, interval: float) -> bool:
        return self._renew_time is not None and self._clock() - self._renew_time < interval

    def _create(self) -> JsonObject:
        body = {
            "apiVersion": Resource.LEASES.api_version,
            "kind": Resource.LEASES.kind,
            "metadata": {"name": self._lease.name},
            "spec": {**self._build_holder(), "acquireTime": _format_now(), "leaseTransitions": 0},
        }
        return self._api.create(Resource.LEASES, self._lease.namespace, body)

    def _take_over(self, record: JsonObject) -> JsonObject | None:
        """Renew our lease or take an expired one; None if another replica holds it."""
        spec = record.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder == self._identity:
            return self._write(record, self._build_holder())
        if holder and not self._is_expired(record, spec):
            return None
        transitions = int(spec.get("leaseTransitions") or 0) + 1
        acquired = {"acquireTime": _format_now(), "leaseTransitions": transitions}
        return self._write(record, {**self._build_holder(), **acquired})

    def _is_expired(self, record: JsonObject, spec: JsonObject) -> bool:
        version = str(record["metadata"]["resourceVersion"])
        if version != self._observed_version:
            self._observed_version, self._observed_time = version, self._clock()
        duration = float(spec.get("leaseDurationSeconds") or self._lease.duration_seconds)
        return self._clock() - self._observed_time >= duration

    def _build_holder(self) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._lease.duration_seconds,
            "renewTime": _format_now(),
        }

    def _write(self, record: JsonObject, spec: dict[str, Any]) -> JsonObject:
        patch = {"metadata": {"resourceVersion": record["metadata"]["resourceVersion"]}, "spec": spec}
        return self._api.patch(Resource.LEASES, *self._name, patch)


def _format_now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
