"""A sweep with a budget: what counts, where it stops, what goes on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from simulated_cluster.checks import assert_rendered_once
from simulated_cluster.simulation import SimulatedCluster

from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import JsonObject, Resource

SECOND_HOURS = 1 / 3600


def start_again(cluster: SimulatedCluster, **changes: Any) -> None:
    cluster.edit(**changes)
    cluster.run_until(lambda cluster: cluster.status.completion_time is None)
    cluster.run_until_finished()


def count_render_jobs(cluster: SimulatedCluster) -> int:
    return len([write for write in cluster.api.writes if write.startswith("create jobs") and write.endswith("-r0")])


class PodClock:
    """Sum of the seconds that render pods ran, from every status that the nodes set."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self.seconds: dict[str, float] = {}
        self._cluster = cluster

    def step(self) -> None:
        self._cluster.step()
        for pod in self._cluster.api.list_all(Resource.PODS):
            start = pod["status"].get("startTime")
            if start and pod["metadata"]["labels"]["synth-operator.io/job"] == "render":
                end = self._find_end(pod) or self._cluster.api.now
                self.seconds[pod["metadata"]["name"]] = (end - datetime.fromisoformat(start)).total_seconds()

    def _find_end(self, pod: JsonObject) -> datetime | None:
        state = pod["status"]["containerStatuses"][0]["state"]
        return datetime.fromisoformat(state["terminated"]["finishedAt"]) if "terminated" in state else None


def test_a_sweep_stops_when_its_runs_are_spent_and_keeps_them() -> None:
    cluster = SimulatedCluster(runs=12, batchSize=1, parallelism=1, budget={"runs": 5})

    cluster.run_until_finished()

    assert cluster.status.phase is Phase.FAILED
    assert cluster.ready == "BudgetSpent: 5 runs are spent; budget.runs allows 5. Raise spec.budget to go on."
    assert cluster.status.runs.succeeded == 5
    assert cluster.store.committed == sorted(cluster.store.runs)
    assert cluster.status.dataset
    assert not [pod for pod in cluster.api.list_all(Resource.PODS) if pod["status"]["phase"] == "Running"]


@pytest.mark.parametrize(
    ("budget", "unit"),
    [
        ({"gpuHours": 40 * SECOND_HOURS}, "GPU hours are spent; budget.gpuHours"),
        ({"cpuHours": 40 * SECOND_HOURS}, "CPU hours are spent; budget.cpuHours"),
    ],
)
def test_a_sweep_stops_when_its_hours_are_spent(budget: dict[str, float], unit: str) -> None:
    cluster = SimulatedCluster(
        runs=100, batchSize=50, parallelism=2, budget=budget, gpu={"count": 2}, resources={"requests": {"cpu": "2"}}
    )

    cluster.run_until_finished()

    assert unit in cluster.ready
    spent = cluster.status.spent
    assert 40 <= spent.gpu_seconds <= 44, "2 pods of 2 GPUs spend 4 GPU seconds in a second"
    assert spent.cpu_seconds == spent.gpu_seconds
    assert set(cluster.store.committed or []) == cluster.store.runs


def test_a_retry_token_alone_renders_nothing_more() -> None:
    cluster = SimulatedCluster(runs=12, batchSize=1, parallelism=1, budget={"runs": 5})
    cluster.run_until_finished()

    start_again(cluster, retryToken="again")

    assert cluster.ready.startswith("BudgetSpent: 5 runs are spent;")
    assert count_render_jobs(cluster) == 1
    assert cluster.status.runs.existing == 5


@pytest.mark.parametrize("change", [{"budget": {"runs": 12}}, {"budget": {"runs": 12}, "retryToken": "again"}])
def test_a_larger_budget_renders_the_missing_runs(change: dict[str, Any]) -> None:
    cluster = SimulatedCluster(runs=12, batchSize=1, parallelism=1, budget={"runs": 5})
    cluster.run_until_finished()

    start_again(cluster, **change)

    assert cluster.status.phase is Phase.COMPLETE
    assert (cluster.status.runs.cached, cluster.status.runs.succeeded) == (5, 7)
    assert cluster.status.spent.runs == 12
    assert_rendered_once(cluster)


def test_a_larger_budget_while_the_sweep_renders_disturbs_nothing() -> None:
    cluster = SimulatedCluster(runs=24, budget={"runs": 5})
    cluster.run_until_phase(Phase.RENDERING)

    cluster.edit(budget={"runs": 100})
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE
    assert count_render_jobs(cluster) == 1


def test_the_last_batch_may_spend_the_whole_budget() -> None:
    cluster = SimulatedCluster(runs=12, budget={"runs": 12})

    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE


def test_failed_runs_spend_the_budget_and_existing_ones_do_not() -> None:
    cluster = SimulatedCluster(runs=12, batchSize=1, parallelism=1, maxFailedRuns=12, budget={"runs": 3})
    cluster.store.runs = {f"1/{value}" for value in range(4)}
    cluster.store.failing = {f"1/{value}" for value in range(4, 12)}

    cluster.run_until_finished()

    assert cluster.ready.startswith("BudgetSpent: 3 runs are spent;")
    assert (cluster.status.runs.cached, cluster.status.runs.failed) == (4, 3)


def test_the_time_of_pods_is_counted_once_across_restarts_shards_and_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth_api.jobs.batches.SHARD_BATCHES", 3)
    cluster = SimulatedCluster(runs=40, parallelism=2, gpu={}, maxFailedRuns=2)
    cluster.store.failing = {"1/7", "1/20"}
    clock = PodClock(cluster)
    for attempt in ("", "again"):
        cluster.edit(retryToken=attempt)
        cluster.store.failing = {"1/7"} if attempt else cluster.store.failing
        cluster.run_for(1)
        while cluster.status.completion_time is None:
            clock.step()
            if cluster.api.now.second % 7 == 0:
                cluster.restart()

    assert cluster.status.spent.gpu_seconds == sum(clock.seconds.values())
    assert cluster.status.spent.runs == 42


def test_hours_of_pods_that_take_long_are_spent_without_an_event() -> None:
    cluster = SimulatedCluster(runs=100, batchSize=100, parallelism=1, gpu={}, budget={"gpuHours": 0.01})
    cluster.run_until_phase(Phase.RENDERING)
    start = cluster.api.now

    cluster.run_until_phase(Phase.FAILED)

    assert timedelta(seconds=36) <= cluster.api.now - start <= timedelta(seconds=45)
    assert len(cluster.api.writes) < 30
