"""Gauges of namespaces with limits."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from synth_api.resources.namespace_limits import NamespaceLimits
from synth_operator.metrics.namespaces import NamespaceCollector
from synth_operator.reconcile.limiter import NamespaceUse


def scrape(*uses: NamespaceUse) -> list[str]:
    registry = CollectorRegistry()
    registry.register(NamespaceCollector(lambda: uses))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_limits_use_and_waiting_sweeps_are_gauges_of_their_namespace() -> None:
    limits = NamespaceLimits(sweeps=2, gpus=8, runs_per_sweep=100)

    assert scrape(NamespaceUse("lab", limits, {"sweeps": 2, "pods": 40, "gpus": 6}, 3)) == [
        'synth_namespace_limit{namespace="lab",resource="sweeps"} 2.0',
        'synth_namespace_limit{namespace="lab",resource="gpus"} 8.0',
        'synth_namespace_limit{namespace="lab",resource="runsPerSweep"} 100.0',
        'synth_namespace_use{namespace="lab",resource="sweeps"} 2.0',
        'synth_namespace_use{namespace="lab",resource="gpus"} 6.0',
        'synth_namespace_limited_sweeps{namespace="lab"} 3.0',
    ]


def test_without_limits_there_are_no_series() -> None:
    assert scrape() == []
