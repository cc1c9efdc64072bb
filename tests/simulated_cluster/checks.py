"""Assertions on a simulated cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulated_cluster.simulation import SimulatedCluster


def assert_rendered_once(cluster: SimulatedCluster) -> None:
    """Every key of the sweep that can be rendered is committed, in run order, and was rendered once."""
    keys = cluster.list_run_keys()
    assert cluster.store.committed == [key for key in keys if key not in cluster.store.failing | cluster.store.crashing]
    assert all(cluster.store.rendered[key] == 1 for key in cluster.store.committed)
