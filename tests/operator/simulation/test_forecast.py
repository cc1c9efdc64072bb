"""The forecast of a sweep: right within 20 % at a tenth of its runs, and never a reason to write."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import pytest
from simulated_cluster.simulation import RULES, SimulatedCluster

from synth_api.resources.synth_sweep import Phase

PRICED = RULES.model_copy(update={"gpu": RULES.gpu.model_copy(update={"hourly_price": 2.5})})
RUNS = 200


def build_uniform(parallelism: int) -> SimulatedCluster:
    """All runs take the same time."""
    cluster = SimulatedCluster(runs=RUNS, parallelism=parallelism, batchSize=None, gpu={"count": 2}, rules=PRICED)
    cluster.store.measure_run = lambda _run: 4
    return cluster


def build_growing(parallelism: int) -> SimulatedCluster:
    """The last value of the slow axis takes 15 times as long as the first."""
    cluster = SimulatedCluster(runs=RUNS, parallelism=parallelism, batchSize=None, gpu={}, rules=PRICED)
    cluster.store.measure_run = lambda run: 1 + 15 * run**2 // RUNS**2
    return cluster


def build_mixed(parallelism: int) -> SimulatedCluster:
    """Runs of any time, some from before, some that fail or kill their worker, in several shards."""
    cluster = SimulatedCluster(
        runs=RUNS, parallelism=parallelism, batchSize=4, maxFailedRuns="20%", gpu={}, rules=PRICED
    )
    seconds = [1 + Random(run).randrange(9) for run in range(RUNS)]
    cluster.store.measure_run = lambda run: seconds[run]
    cluster.store.runs = {f"1/{value}" for value in range(0, RUNS, 3)}
    cluster.store.failing = {f"1/{value}" for value in range(1, RUNS, 12)}
    cluster.store.crashing = {"1/50"}
    return cluster


@dataclass(frozen=True)
class Kind:
    """A kind of sweep."""

    build: Callable[[int], SimulatedCluster]
    shard_batches: int = 1000


KINDS = {"uniform": Kind(build_uniform), "growing": Kind(build_growing), "mixed": Kind(build_mixed, shard_batches=8)}


@pytest.mark.parametrize("parallelism", [1, 4])
@pytest.mark.parametrize("name", KINDS)
def test_a_tenth_of_the_runs_tells_hours_cost_and_end_within_20_percent(
    name: str, parallelism: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth_api.jobs.batches.SHARD_BATCHES", KINDS[name].shard_batches)
    cluster = KINDS[name].build(parallelism)
    cluster.nodes.startup_seconds = 5
    cluster.run_until_phase(Phase.RENDERING)
    start = cluster.api.now

    cluster.run_until(lambda cluster: count_finished(cluster) >= count_todo(cluster) / 10)
    forecast = cluster.status.forecast
    cluster.run_until_phase(Phase.FINALIZING, seconds=20_000)
    end = cluster.api.now
    cluster.run_until_finished()

    assert cluster.status.phase is Phase.COMPLETE
    assert forecast
    assert forecast.end
    spent = cluster.status.spent
    assert forecast.gpu_hours == pytest.approx(spent.gpu_seconds / 3600, rel=0.2)
    assert forecast.cpu_hours == pytest.approx(spent.cpu_seconds / 3600, rel=0.2)
    assert forecast.cost == pytest.approx(forecast.gpu_hours * 2.5, rel=0.01)
    assert forecast.end - start == pytest.approx(end - start, abs=0.2 * (end - start))
    assert cluster.status.forecast is None, "a complete sweep has spent what it spent"


def count_finished(cluster: SimulatedCluster) -> int:
    return cluster.status.runs.succeeded + cluster.status.runs.failed


def count_todo(cluster: SimulatedCluster) -> int:
    assert cluster.status.attempt
    return cluster.status.attempt.todo or 0


def test_there_is_no_forecast_before_two_batches_have_ended() -> None:
    cluster = SimulatedCluster(runs=40, batchSize=4, parallelism=1)

    cluster.run_until(lambda cluster: count_finished(cluster) >= 4)
    assert cluster.status.forecast is None
    cluster.run_until(lambda cluster: count_finished(cluster) >= 8)
    assert cluster.status.forecast


def test_without_a_price_there_is_no_cost() -> None:
    cluster = SimulatedCluster(runs=40, batchSize=4, gpu={})

    cluster.run_until(lambda cluster: cluster.status.forecast is not None)

    assert cluster.status.forecast
    assert cluster.status.forecast.cost is None
    assert cluster.status.forecast.gpu_hours > 0


def test_a_forecast_counts_all_attempts_and_stays_when_the_budget_is_spent() -> None:
    cluster = SimulatedCluster(runs=40, batchSize=1, parallelism=1, gpu={}, budget={"runs": 20})
    cluster.store.measure_run = lambda _run: 3
    cluster.run_until_finished()
    first = cluster.status.forecast

    cluster.edit(budget={"runs": 100})
    cluster.run_until(lambda cluster: cluster.status.completion_time is None)
    cluster.run_until(lambda cluster: cluster.status.forecast is not None)
    second = cluster.status.forecast
    cluster.run_until_finished()

    total = pytest.approx(cluster.status.spent.gpu_seconds / 3600, rel=0.1)
    assert first
    assert second
    assert (first.gpu_hours, second.gpu_hours) == (total, total)
    assert first.end is None


def test_a_forecast_follows_a_sweep_that_was_suspended() -> None:
    cluster = SimulatedCluster(runs=100, batchSize=2, parallelism=2, gpu={})
    cluster.run_until(lambda cluster: count_finished(cluster) >= 20)
    before = cluster.status.forecast
    cluster.edit(suspend=True)
    cluster.run_until_phase(Phase.SUSPENDED)
    assert cluster.status.forecast
    assert cluster.status.forecast.end is None
    cluster.run_for(3600)

    cluster.edit(suspend=False)
    cluster.run_until(lambda cluster: count_finished(cluster) >= 40)
    after = cluster.status.forecast

    assert before
    assert after
    assert after.gpu_hours == pytest.approx(before.gpu_hours, rel=0.2)
    assert after.end
    assert after.end - cluster.api.now < timedelta(minutes=5)


def test_a_forecast_causes_no_write() -> None:
    cluster = SimulatedCluster(runs=500, batchSize=5, parallelism=2, gpu={})

    cluster.run_until_finished()

    assert len([write for write in cluster.api.writes if write.startswith("status")]) <= 33 + 6
