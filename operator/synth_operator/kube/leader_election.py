"""Leadership: a Lease that one replica holds and renews; whoever cannot renew it in time stops in time."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from synth_operator.kube.api import Api, ApiError, Resource, Tree

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from synth_operator import configuration

log = logging.getLogger(__name__)

_RENEWALS: Final = 3
"""Renewals that fit into the time of a lease."""
_DEADLINE: Final = 2 / 3
"""Share of the lease's time after which a leader that could not renew it is none any more."""
_RETRY: Final = 1.0


class NotLeadingError(Exception):
    """A write was held back because this replica does not hold the lease."""


class Leadership:
    """One replica's view of the lease.

    The clock is this process's own: another holder is believed dead when its record did not change for the time of
    the lease, counted from when this replica saw it first, so the machines' clocks need not agree.
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
        self._record: Tree | None = None
        self._seen: tuple[str, float] = ("", clock())
        self._renewed: float | None = None
        self.heard = clock()
        """When the API last answered."""

    @property
    def leading(self) -> bool:
        """Whether this replica may write now."""
        return self._renewed is not None and self._clock() - self._renewed < self._lease.duration_seconds * _DEADLINE

    def require(self) -> None:
        """Raises NotLeadingError unless this replica may write now."""
        if not self.leading:
            raise NotLeadingError

    def acquire(self, stop: threading.Event) -> bool:
        """Waits until the lease is this replica's; False when told to stop."""
        while not stop.is_set():
            if self.attempt():
                log.info("leading", extra={"identity": self._identity})
                return True
            stop.wait(_RETRY)
        return False

    def hold(self, stop: threading.Event) -> None:
        """Renews until told to stop, or until the lease is lost."""
        interval = self._lease.duration_seconds / _RENEWALS
        while self.leading and not stop.wait(interval if self._fresh(interval) else _RETRY):
            self.attempt()
        if not self.leading:
            self._record = None
            log.warning("leadership lost", extra={"identity": self._identity})

    def release(self) -> None:
        """Lets the next replica take over at once."""
        if not self.leading or self._record is None:
            return
        record, self._record, self._renewed = self._record, None, None
        try:
            self._write(record, {"holderIdentity": "", "leaseDurationSeconds": 1})
        except ApiError as error:
            log.info("lease not released: %s", error)

    def attempt(self) -> bool:
        """One try to take or renew the lease; whether it succeeded."""
        started = self._clock()
        try:
            record = self._record or self._api.read(Resource.LEASES, *self._name)
            self.heard = self._clock()
            taken = self._create() if record is None else self._take(record)
        except ApiError as error:
            self._record = None
            log.log(logging.WARNING if self.leading else logging.DEBUG, "lease not renewed: %s", error)
            return False
        if taken is None:
            return False
        self._record, self._renewed, self.heard = taken, started, self._clock()
        return True

    @property
    def _name(self) -> tuple[str, str]:
        return self._lease.namespace, self._lease.name

    def _fresh(self, interval: float) -> bool:
        return self._renewed is not None and self._clock() - self._renewed < interval

    def _create(self) -> Tree:
        body = {
            "apiVersion": Resource.LEASES.api_version,
            "kind": Resource.LEASES.kind,
            "metadata": {"name": self._lease.name},
            "spec": {**self._held(), "acquireTime": _now(), "leaseTransitions": 0},
        }
        return self._api.create(Resource.LEASES, self._lease.namespace, body)

    def _take(self, record: Tree) -> Tree | None:
        spec = record.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder == self._identity:
            return self._write(record, self._held())
        if holder and not self._expired(record, spec):
            return None
        transitions = int(spec.get("leaseTransitions") or 0) + 1
        return self._write(record, {**self._held(), "acquireTime": _now(), "leaseTransitions": transitions})

    def _expired(self, record: Tree, spec: Tree) -> bool:
        version = str(record["metadata"]["resourceVersion"])
        if version != self._seen[0]:
            self._seen = (version, self._clock())
        duration = float(spec.get("leaseDurationSeconds") or self._lease.duration_seconds)
        return self._clock() - self._seen[1] >= duration

    def _held(self) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._lease.duration_seconds,
            "renewTime": _now(),
        }

    def _write(self, record: Tree, spec: dict[str, Any]) -> Tree:
        patch = {"metadata": {"resourceVersion": record["metadata"]["resourceVersion"]}, "spec": spec}
        return self._api.patch(Resource.LEASES, *self._name, patch)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
