"""Gauges of namespaces with limits: the limits, what sweeps and datasets occupy, and how many wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from synth_api.resources.namespace_limits import NamespaceLimits

_LIMIT: Final = "synth_namespace_limit"
_USE: Final = "synth_namespace_use"
_WAITING: Final = "synth_namespace_limited_sweeps"


class MeasuredNamespace(Protocol):
    """The parts of a namespace's use that the gauges show."""

    @property
    def namespace(self) -> str:
        """Name of the namespace."""

    @property
    def limits(self) -> NamespaceLimits:
        """Limits of the namespace."""

    @property
    def use(self) -> Mapping[str, float]:
        """Amount in use by resource, named as the limit."""

    @property
    def waiting(self) -> int:
        """Sweeps and datasets that wait for a limit."""


class NamespaceCollector(Collector):
    """Collector of namespaces that have both limits and sweeps or datasets; `namespaces` is called at each scrape."""

    def __init__(self, namespaces: Callable[[], Iterable[MeasuredNamespace]]) -> None:
        self._namespaces = namespaces

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the metrics without samples."""
        return _build_families(())

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return one family per metric, with the samples of all namespaces."""
        return _build_families(tuple(self._namespaces()))


def _build_families(namespaces: tuple[MeasuredNamespace, ...]) -> Iterator[GaugeMetricFamily]:
    limits = GaugeMetricFamily(_LIMIT, "Limit of a resource in a namespace.", labels=("namespace", "resource"))
    uses = GaugeMetricFamily(_USE, "Use of a limited resource in a namespace.", labels=("namespace", "resource"))
    waiting = GaugeMetricFamily(
        _WAITING, "Sweeps and datasets that wait for a limit of their namespace.", labels=("namespace",)
    )
    for each in namespaces:
        for resource, limit in each.limits.model_dump(exclude_none=True).items():
            limits.add_metric((each.namespace, resource), limit)
            if resource in each.use:
                uses.add_metric((each.namespace, resource), each.use[resource])
        waiting.add_metric((each.namespace,), each.waiting)
    return iter((limits, uses, waiting))
