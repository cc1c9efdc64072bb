"""Argo CD's view of sweeps and recipes: its health check in a real Lua, on every status that the operator writes.

Argo CD runs Lua 5.1 (gopher-lua).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lupa.lua51 import LuaRuntime
from simulated_cluster.simulation import NAME, SimulatedCluster

from synth_api.reasons import Reason
from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource

if TYPE_CHECKING:
    from synth_operator.kube.api import JsonObject

CHECK = Path(__file__).parents[3] / "examples" / "gitops" / "argocd" / "health.lua"
UNSEEN = ("Progressing", "No operator has observed the latest edit yet.")
HEALTH = {
    Phase.PLANNING: "Progressing",
    Phase.RENDERING: "Progressing",
    Phase.FINALIZING: "Progressing",
    Phase.SUSPENDED: "Suspended",
    Phase.COMPLETE: "Healthy",
    Phase.FAILED: "Degraded",
}


def judge(body: JsonObject) -> tuple[str, str]:
    """Return health and message of an object, as Argo CD gets them."""
    lua = LuaRuntime(register_eval=False, unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(body, recursive=True)
    health = lua.execute(CHECK.read_text(encoding="utf-8"))
    return str(health.status), str(health.message)


def judge_sweep(cluster: SimulatedCluster) -> tuple[str, str]:
    return judge(cluster.api.objects[Resource.SWEEPS, NAME])


def collect_health(cluster: SimulatedCluster, seconds: int, seen: dict[Phase, set[str]]) -> None:
    for _ in range(seconds):
        cluster.step()
        body = cluster.api.objects[Resource.SWEEPS, NAME]
        if cluster.status.observed_generation == body["metadata"]["generation"]:
            seen.setdefault(cluster.status.phase, set()).add(judge_sweep(cluster)[0])


def test_every_phase_has_its_health() -> None:
    seen: dict[Phase, set[str]] = {}
    cluster = SimulatedCluster(runs=16)
    collect_health(cluster, 8, seen)
    cluster.edit(suspend=True)
    collect_health(cluster, 5, seen)
    cluster.edit(suspend=False)
    collect_health(cluster, 30, seen)
    cluster.store.failing = {"1/100"}
    cluster.edit(axes=[{"path": "seed", "values": [0, 100]}])
    collect_health(cluster, 40, seen)

    assert seen == {phase: {health} for phase, health in HEALTH.items()}


def test_the_message_is_that_of_ready() -> None:
    cluster = SimulatedCluster(runs=4, budget={"runs": 2}, batchSize=1, parallelism=1)
    cluster.run_until_finished()

    assert judge_sweep(cluster) == (
        "Degraded",
        "2 runs are spent; budget.runs allows 2. Raise spec.budget to go on.",
    )


def test_what_the_operator_has_not_seen_is_in_progress() -> None:
    cluster = SimulatedCluster(runs=4)
    assert judge_sweep(cluster) == UNSEEN
    cluster.run_until_finished()

    cluster.edit(parallelism=2)

    assert judge_sweep(cluster) == UNSEEN


def test_a_sweep_that_waits_is_in_progress_unless_it_needs_an_edit() -> None:
    cluster = SimulatedCluster(runs=4)
    cluster.store.up = False
    cluster.run_until(lambda cluster: Reason.STORE_UNREACHABLE in cluster.ready)
    assert judge_sweep(cluster)[0] == "Progressing"

    cluster.apply_recipe(None)
    cluster.run_until(lambda cluster: Reason.RECIPE_INVALID in cluster.ready)

    assert judge_sweep(cluster)[0] == "Degraded"


def test_a_recipe_is_healthy_or_degraded() -> None:
    def build_recipe(*true: str) -> dict[str, Any]:
        conditions = [
            {"type": kind, "status": "True" if kind in true else "False", "message": "about it"}
            for kind in ("Ready", "Stalled")
        ]
        return {"metadata": {"generation": 3}, "status": {"observedGeneration": 3, "conditions": conditions}}

    assert judge(build_recipe("Ready")) == ("Healthy", "about it")
    assert judge(build_recipe("Stalled")) == ("Degraded", "about it")
