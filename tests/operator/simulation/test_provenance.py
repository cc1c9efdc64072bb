"""The status of a sweep names everything that its dataset came from."""

from __future__ import annotations

from simulated_cluster.world import World

from synth_api.version import ENGINE_VERSION


def test_a_complete_sweep_names_plan_engine_and_recipe() -> None:
    world = World(runs=12)

    world.until_ended()

    status = world.status
    assert len(status.plan) == len(status.recipe_digest) == 64
    assert status.engine_version == ENGINE_VERSION
    before = status
    world.edit(axes=[{"path": "seed", "values": [0, 1]}])
    world.until_ended()
    assert world.status.plan != before.plan
    assert world.status.recipe_digest == before.recipe_digest
