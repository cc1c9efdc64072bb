"""The status of a sweep names everything that its dataset has_changed from."""

from __future__ import annotations

from simulated_cluster.simulation import SimulatedCluster

from synth_api.version import ENGINE_VERSION


def test_a_complete_sweep_names_plan_engine_and_recipe() -> None:
    cluster = SimulatedCluster(runs=12)

    cluster.run_until_finished()

    status = cluster.status
    assert len(status.plan) == len(status.recipe_digest) == 64
    assert status.engine_version == ENGINE_VERSION
    before = status
    cluster.edit(axes=[{"path": "seed", "values": [0, 1]}])
    cluster.run_until_finished()
    assert cluster.status.plan != before.plan
    assert cluster.status.recipe_digest == before.recipe_digest
