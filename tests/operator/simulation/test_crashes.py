"""Crashes of the operator at every write, and random faults of the cluster."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_cluster.simulation import SimulatedCluster

from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource

MAX_WRITES = 100


def plain() -> SimulatedCluster:
    return SimulatedCluster(runs=12)


def failing() -> SimulatedCluster:
    cluster = SimulatedCluster(runs=12, maxFailedRuns=3)
    cluster.store.failing = {"1/3", "1/8"}
    cluster.store.crashing = {"1/5"}
    return cluster


def in_shards() -> SimulatedCluster:
    return SimulatedCluster(runs=16)


def stale() -> SimulatedCluster:
    """Return a cluster in which runs disappear once, just before they are counted."""
    cluster = SimulatedCluster(runs=8)
    finalize, lost = cluster.store.finalize, ["1/2", "1/5"]

    def finalize_after_loss(task: Any) -> Any:
        while lost:
            cluster.store.runs.discard(lost.pop())
        return finalize(task)

    cluster.store.finalize = finalize_after_loss  # type: ignore[method-assign]
    return cluster


def fail_too_many_runs() -> SimulatedCluster:
    """Too many runs fail."""
    cluster = SimulatedCluster(runs=16, parallelism=2)
    cluster.store.failing = {"1/3", "1/4"}
    return cluster


def spend_budget() -> SimulatedCluster:
    """The budget is spent in mid-sweep."""
    return SimulatedCluster(runs=16, parallelism=2, budget={"runs": 6})


def run_scenario(cluster: SimulatedCluster, change: Callable[[SimulatedCluster], None]) -> SimulatedCluster:
    cluster.run_for(8)
    change(cluster)
    cluster.run_until_finished()
    return cluster


def resize(cluster: SimulatedCluster) -> None:
    cluster.edit(parallelism=1, image="lab/other:2")


def suspend(cluster: SimulatedCluster) -> None:
    cluster.edit(suspend=True)
    cluster.run_for(20)
    cluster.edit(suspend=False)


def replan(cluster: SimulatedCluster) -> None:
    cluster.edit(axes=[{"path": "seed", "values": list(range(4, 18))}])


def new_recipe(cluster: SimulatedCluster) -> None:
    cluster.apply_recipe(2)


SCENARIOS: dict[str, tuple[Callable[[], SimulatedCluster], Callable[[SimulatedCluster], None]]] = {
    "plain": (plain, lambda _cluster: None),
    "failing": (failing, lambda _cluster: None),
    "in shards": (in_shards, lambda _cluster: None),
    "stale": (stale, lambda _cluster: None),
    "stopped": (fail_too_many_runs, lambda _cluster: None),
    "budget spent": (spend_budget, lambda _cluster: None),
    "resized": (plain, resize),
    "suspended": (plain, suspend),
    "replanned": (plain, replan),
    "new recipe": (plain, new_recipe),
}


def result(cluster: SimulatedCluster) -> Any:
    """Return the result that must not depend on crashes."""
    status = cluster.status
    runs = status.runs
    stopped = status.phase is Phase.FAILED
    return (
        status.phase,
        (runs.total, None if stopped else (runs.existing, runs.failed)),
        None if stopped else cluster.store.committed,
    )


def count_events(cluster: SimulatedCluster) -> Counter[str]:
    """Return the number of Events by reason."""
    return Counter(event.split(":")[0] for event in cluster.events)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_write_changes_no_result(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "in shards":
        monkeypatch.setattr("synth_api.jobs.batches.SHARD_BATCHES", 3)
    make, change = SCENARIOS[name]
    undisturbed = run_scenario(make(), change)
    expected = result(undisturbed)

    for write in range(len(undisturbed.api.writes)):
        for when in ("before", "after"):
            cluster = make()
            cluster.crash_at(write, when)
            run_scenario(cluster, change)

            assert cluster.restarts == 1, (write, when)
            assert result(cluster) == expected, (write, when, undisturbed.api.writes[write])
            assert max(cluster.store.rendered.values()) == (2 if name == "stale" else 1), (write, when)
            assert count_events(cluster) <= count_events(undisturbed), (write, when)
            assert len(cluster.api.writes) <= MAX_WRITES


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
@pytest.mark.parametrize("moment", [3, 8, 30])
def test_a_crash_at_any_write_of_a_deletion_leaves_no_object(policy: str, moment: int) -> None:
    def run_and_delete(cluster: SimulatedCluster) -> SimulatedCluster:
        cluster.run_for(moment)
        cluster.delete()
        cluster.run_until(lambda cluster: not cluster.exists)
        cluster.run_for(60)
        return cluster

    undisturbed = run_and_delete(SimulatedCluster(runs=12, deletionPolicy=policy))

    for write in range(len(undisturbed.api.writes)):
        for when in ("before", "after"):
            cluster = SimulatedCluster(runs=12, deletionPolicy=policy)
            cluster.crash_at(write, when)
            run_and_delete(cluster)

            assert not cluster.jobs(), (write, when)
            assert bool(cluster.store.runs) == bool(undisturbed.store.runs), (write, when)


class RandomFaults:
    """Things that inject to clusters, chosen at random."""

    def __init__(self, cluster: SimulatedCluster, number: int) -> None:
        self.cluster = cluster
        self.random = Random(number)

    def inject(self) -> None:
        self.random.choice(
            [self.kill_pod, self.delete_job, self.delete_input, self.restart, self.toggle_store, self.edit]
        )()

    def kill_pod(self) -> None:
        pods = [pod for pod in self.cluster.api.list_all(Resource.PODS) if pod["status"]["phase"] == "Running"]
        if pods:
            self.cluster.nodes.end_pod(self.random.choice(pods), self.random.choice([137, 143, 75]))

    def delete_job(self) -> None:
        jobs = self.cluster.api.list_all(Resource.JOBS)
        if jobs:
            self.cluster.api.remove(Resource.JOBS, self.random.choice(jobs)["metadata"]["name"])

    def delete_input(self) -> None:
        for body in self.cluster.api.list_all(Resource.INPUTS):
            self.cluster.api.remove(Resource.INPUTS, body["metadata"]["name"])

    def restart(self) -> None:
        self.cluster.restart()

    def toggle_store(self) -> None:
        self.cluster.store.up = not self.cluster.store.up

    def edit(self) -> None:
        self.cluster.edit(
            parallelism=self.random.randint(1, 5),
            suspend=self.random.random() < 0.3,
            image=self.random.choice(["lab/a:1", "lab/b:1"]),
        )

    def stop(self) -> None:
        self.cluster.store.up = True
        self.cluster.nodes.deliver_messages = True
        self.cluster.edit(suspend=False)


@settings(max_examples=settings.default.max_examples // 4)
@given(
    number=st.integers(0, 2**32), lag=st.sampled_from([0.0, 0.5, 0.8]), pauses=st.lists(st.integers(1, 15), max_size=8)
)
def test_a_sweep_completes_despite_any_faults(number: int, lag: float, pauses: list[int]) -> None:
    cluster = SimulatedCluster(runs=16, lag=lag, seed=number, retriesPerRun=10)
    faults = RandomFaults(cluster, number)

    for pause in pauses:
        cluster.run_for(pause)
        faults.inject()
    faults.stop()
    cluster.run_until(lambda cluster: cluster.status.completion_time is not None, seconds=20_000)

    assert cluster.status.phase is Phase.COMPLETE
    assert cluster.status.runs.existing == 16
    assert cluster.store.committed == cluster.list_run_keys()
    assert max(cluster.store.rendered.values()) == 1


def test_the_sweep_completes_without_termination_messages() -> None:
    cluster = SimulatedCluster(runs=12)
    cluster.nodes.deliver_messages = False
    cluster.run_for(30)
    cluster.nodes.deliver_messages = True

    cluster.run_until_finished()

    assert cluster.status.runs.succeeded == 12


def test_counts_never_fall_when_pods_are_deleted() -> None:
    cluster = SimulatedCluster(runs=24, retriesPerRun=10)
    highest = 0
    for _ in range(40):
        cluster.step()
        for pod in cluster.api.list_all(Resource.PODS):
            if pod["status"]["phase"] in ("Succeeded", "Failed") and cluster.status.runs.succeeded:
                cluster.api.remove(Resource.PODS, pod["metadata"]["name"])
        assert cluster.status.runs.succeeded >= highest
        highest = cluster.status.runs.succeeded

    cluster.run_until_finished()
    assert cluster.status.runs.succeeded == 24
