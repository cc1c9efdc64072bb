"""What this operator process does; its counters start anew with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from synth_api.version import ENGINE_VERSION
from synth_operator.metrics.sweeps import SweepCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from synth_operator.metrics.sweeps import MeasuredSweep

_RECONCILE_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class WatchAgeCollector(Collector):
    """Seconds since each watch was last heard, by the clock of the scrape."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard: dict[str, float] = {}

    def heard(self, resource: str) -> None:
        """The watch of a resource is alive now."""
        self._heard[resource] = self._clock()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The metric without values."""
        return (self._family({}),)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One sample per watched resource."""
        now = self._clock()
        return (self._family({resource: now - heard for resource, heard in dict(self._heard).items()}),)

    @staticmethod
    def _family(ages: dict[str, float]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "synth_operator_watch_age_seconds", "Seconds since a watch was last heard.", labels=("resource",)
        )
        for resource, age in ages.items():
            family.add_metric((resource,), age)
        return family


class OperatorMetrics:
    """All metrics of an operator process, in a registry of their own.

    `sweeps` returns a snapshot of the sweeps that this replica looks after, none unless it leads; `queue_depth` the
    sweeps that wait for a reconcile. Both are called in the thread that serves a scrape.
    """

    def __init__(
        self, version: str, sweeps: Callable[[], Iterable[MeasuredSweep]], queue_depth: Callable[[], float]
    ) -> None:
        # When a counter began is known from the process; a second series for each says no more.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._reconciles = Histogram(
            "synth_operator_reconcile_seconds",
            "Seconds that one look at one sweep took, by outcome: ok or error.",
            ("outcome",),
            buckets=_RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._calls = Counter(
            "synth_operator_api_requests",
            "Requests to the Kubernetes API; code is `none` where no answer came.",
            ("verb", "resource", "code"),
            registry=self.registry,
        )
        self._leader = Gauge(
            "synth_operator_leader", "1 in the replica that holds the lease, else 0.", registry=self.registry
        )
        self._ages = WatchAgeCollector()
        depth = Gauge("synth_operator_queue_depth", "Sweeps that wait to be looked at.", registry=self.registry)
        depth.set_function(queue_depth)
        build = Gauge(
            "synth_operator_build_info", "1; version and engine version.", ("version", "engine"), registry=self.registry
        )
        build.labels(version, str(ENGINE_VERSION)).set(1)
        for outcome in ("ok", "error"):
            self._reconciles.labels(outcome)
        self.registry.register(self._ages)
        self.registry.register(SweepCollector(sweeps))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def reconciled(self, seconds: float, *, ok: bool) -> None:
        """A sweep was looked at."""
        self._reconciles.labels("ok" if ok else "error").observe(seconds)

    def api_call(self, verb: str, resource: str, code: int | None) -> None:
        """A request ended; `resource` as in a Role (`jobs`, `synthsweeps/status`), no code where no answer came."""
        self._calls.labels(verb, resource, "none" if code is None else str(code)).inc()

    def heard(self, resource: str) -> None:
        """The watch of a resource is alive: an event, a bookmark or a fresh list came."""
        self._ages.heard(resource)

    def leads(self, leading: bool) -> None:
        """Whether this replica holds the lease."""
        self._leader.set(leading)

    def serve(self, port: int) -> Callable[[], None]:
        """Serves `/metrics` on all addresses in threads of its own; returns what ends it. Raises OSError when taken."""
        server, thread = start_http_server(port, registry=self.registry)

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end
