"""Metrics of the operator process; its counters start at zero with it."""

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
from synth_operator.kube.api import Resource
from synth_operator.metrics.datasets import DatasetCollector
from synth_operator.metrics.namespaces import NamespaceCollector
from synth_operator.metrics.sweeps import SweepCollector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from synth_operator.metrics.datasets import MeasuredDataset
    from synth_operator.metrics.namespaces import MeasuredNamespace
    from synth_operator.metrics.sweeps import MeasuredSweep

_RECONCILE_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class WatchAgeCollector(Collector):
    """Seconds since each watch last gave a sign of life, at the time of the scrape."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_activity: dict[str, float] = {}

    def record_activity(self, resource: str) -> None:
        """Record that the watch of a resource is alive now."""
        self._last_activity[resource] = self._clock()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the metric without samples."""
        return (self._build_family({}),)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the metric with one sample per watched resource."""
        now = self._clock()
        return (self._build_family({resource: now - last for resource, last in dict(self._last_activity).items()}),)

    @staticmethod
    def _build_family(ages: dict[str, float]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "synth_operator_watch_age_seconds",
            "Seconds since a watch last gave a sign of life.",
            labels=("resource",),
        )
        for resource, age in ages.items():
            family.add_metric((resource,), age)
        return family


class OperatorMetrics:
    """All metrics of an operator process, in a separate registry.

    `sweeps` returns a snapshot of all sweeps, none unless this replica leads; `queue_depth` the number of keys that
    wait for a reconcile, `queue_seconds` the longest time of one; `namespaces` the use of those with limits, `datasets`
    all datasets. All are called in the thread that serves a scrape.
    """

    def __init__(
        self,
        version: str,
        sweeps: Callable[[], Iterable[MeasuredSweep]],
        queue_depth: Callable[[], float],
        queue_seconds: Callable[[], float],
        namespaces: Callable[[], Iterable[MeasuredNamespace]] = tuple,
        datasets: Callable[[], Iterable[MeasuredDataset]] = tuple,
    ) -> None:
        # The start of the process is the start of every counter; a `_created` series for each adds nothing.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._reconciles = Histogram(
            "synth_operator_reconcile_seconds",
            "Duration of one reconcile in seconds, by outcome: ok or error.",
            ("outcome",),
            buckets=_RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._calls = Counter(
            "synth_operator_api_requests",
            "Requests to the Kubernetes API; code is `none` without an answer.",
            ("verb", "resource", "code"),
            registry=self.registry,
        )
        self._internal_errors = Counter(
            "synth_operator_internal_errors",
            "Passes over a sweep, recipe or dataset that raised an error of the operator itself.",
            ("resource",),
            registry=self.registry,
        )
        self._leader = Gauge(
            "synth_operator_leader", "1 in the replica that holds the lease, else 0.", registry=self.registry
        )
        self._ages = WatchAgeCollector()
        for outcome in ("ok", "error"):
            self._reconciles.labels(outcome)
        for resource in (Resource.SWEEPS, Resource.RECIPES, Resource.DATASETS):
            self._internal_errors.labels(resource.plural)
        self._add_gauges(version, queue_depth, queue_seconds)
        for collector in (
            self._ages,
            SweepCollector(sweeps),
            NamespaceCollector(namespaces),
            DatasetCollector(datasets),
        ):
            self.registry.register(collector)
        for add_collector in (ProcessCollector, PlatformCollector, GCCollector):
            add_collector(registry=self.registry)

    def _add_gauges(self, version: str, queue_depth: Callable[[], float], queue_seconds: Callable[[], float]) -> None:
        depth = Gauge(
            "synth_operator_queue_depth",
            "Sweeps, recipes and datasets that wait for a reconcile.",
            registry=self.registry,
        )
        depth.set_function(queue_depth)
        oldest = Gauge(
            "synth_operator_queue_oldest_seconds",
            "Longest time that a sweep, recipe or dataset has waited for a reconcile or been reconciled.",
            registry=self.registry,
        )
        oldest.set_function(queue_seconds)
        build = Gauge(
            "synth_operator_build_info",
            "Always 1; its labels are the version and the engine version.",
            ("version", "engine"),
            registry=self.registry,
        )
        build.labels(version, str(ENGINE_VERSION)).set(1)

    def record_reconcile(self, seconds: float, *, ok: bool) -> None:
        """Record one reconcile and its duration."""
        self._reconciles.labels("ok" if ok else "error").observe(seconds)

    def record_internal_error(self, resource: str) -> None:
        """Record a pass over a sweep, recipe or dataset that raised."""
        self._internal_errors.labels(resource).inc()

    def record_api_call(self, verb: str, resource: str, code: int | None) -> None:
        """Record a request: `resource` as in a Role (`jobs`, `synthsweeps/status`), `code` None without an answer."""
        self._calls.labels(verb, resource, "none" if code is None else str(code)).inc()

    def record_watch_activity(self, resource: str) -> None:
        """Record that the watch of a resource is alive now."""
        self._ages.record_activity(resource)

    def set_leading(self, leading: bool) -> None:
        """Record whether this replica holds the lease."""
        self._leader.set(leading)

    def serve(self, port: int) -> Callable[[], None]:
        """Serve `/metrics` on all addresses in separate threads; return the function that stops the server.

        Raises:
            OSError: the port is in use.
        """
        server, thread = start_http_server(port, registry=self.registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop
