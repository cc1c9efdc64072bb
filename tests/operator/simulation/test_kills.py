"""The operator dies at every write it makes, and everything else goes wrong too."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_cluster.world import World

from synth_api.resources.synth_sweep import Phase
from synth_operator.kube.api import Resource

MOST_WRITES = 100


def plain() -> World:
    return World(runs=12)


def failing() -> World:
    world = World(runs=12, maxFailedRuns=3)
    world.store.impossible = {"1/3", "1/8"}
    world.store.deadly = {"1/5"}
    return world


def in_shards() -> World:
    return World(runs=16)


def stale() -> World:
    """Runs vanish once, just before they are counted."""
    world = World(runs=8)
    finalize, forgotten = world.store.finalize, ["1/2", "1/5"]

    def forgetful(task: Any) -> Any:
        while forgotten:
            world.store.runs.discard(forgotten.pop())
        return finalize(task)

    world.store.finalize = forgetful  # type: ignore[method-assign]
    return world


def stopped() -> World:
    """Too many runs fail."""
    world = World(runs=16, parallelism=2)
    world.store.impossible = {"1/3", "1/4"}
    return world


def whole_life(world: World, then: Callable[[World], None] = lambda _world: None) -> World:
    world.seconds(8)
    then(world)
    world.until_ended()
    return world


def resize(world: World) -> None:
    world.edit(parallelism=1, image="lab/other:2")


def suspend(world: World) -> None:
    world.edit(suspend=True)
    world.seconds(20)
    world.edit(suspend=False)


def replan(world: World) -> None:
    world.edit(axes=[{"path": "seed", "values": list(range(4, 18))}])


def new_recipe(world: World) -> None:
    world.apply_recipe(2)


LIVES: dict[str, tuple[Callable[[], World], Callable[[World], None]]] = {
    "plain": (plain, lambda _world: None),
    "failing": (failing, lambda _world: None),
    "in shards": (in_shards, lambda _world: None),
    "stale": (stale, lambda _world: None),
    "stopped": (stopped, lambda _world: None),
    "resized": (plain, resize),
    "suspended": (plain, suspend),
    "replanned": (plain, replan),
    "new recipe": (plain, new_recipe),
}


def result(world: World) -> Any:
    """What must be the same however often the operator died."""
    status = world.status
    runs = status.runs
    stopped = status.phase is Phase.FAILED
    return (
        status.phase,
        (runs.total, None if stopped else (runs.existing, runs.failed)),
        None if stopped else world.store.committed,
    )


def told(world: World) -> Counter[str]:
    """How often each kind of thing was told."""
    return Counter(event.split(":")[0] for event in world.events)


@pytest.mark.parametrize("name", LIVES)
def test_a_crash_at_any_write_changes_no_result(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "in shards":
        monkeypatch.setattr("synth_api.jobs.batches.SHARD_BATCHES", 3)
    make, then = LIVES[name]
    calm = whole_life(make(), then)
    expected = result(calm)

    for write in range(len(calm.api.writes)):
        for when in ("before", "after"):
            world = make()
            world.kill_at(write, when)
            whole_life(world, then)

            assert world.restarts == 1, (write, when)
            assert result(world) == expected, (write, when, calm.api.writes[write])
            assert max(world.store.rendered.values()) == (2 if name == "stale" else 1), (write, when)
            assert told(world) <= told(calm), (write, when)
            assert len(world.api.writes) <= MOST_WRITES


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
@pytest.mark.parametrize("moment", [3, 8, 30])
def test_a_crash_at_any_write_of_a_deletion_leaves_no_object(policy: str, moment: int) -> None:
    def life(world: World) -> World:
        world.seconds(moment)
        world.delete()
        world.until(lambda world: not world.exists)
        world.seconds(60)
        return world

    calm = life(World(runs=12, deletionPolicy=policy))

    for write in range(len(calm.api.writes)):
        for when in ("before", "after"):
            world = World(runs=12, deletionPolicy=policy)
            world.kill_at(write, when)
            life(world)

            assert not world.jobs(), (write, when)
            assert bool(world.store.runs) == bool(calm.store.runs), (write, when)


class Mischief:
    """Things that happen to clusters, chosen at random."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.random = Random(number)

    def happen(self) -> None:
        self.random.choice(
            [self.kill_pod, self.delete_job, self.delete_input, self.restart, self.toggle_store, self.edit]
        )()

    def kill_pod(self) -> None:
        pods = [pod for pod in self.world.api.all(Resource.PODS) if pod["status"]["phase"] == "Running"]
        if pods:
            self.world.nodes.end(self.random.choice(pods), self.random.choice([137, 143, 75]))

    def delete_job(self) -> None:
        jobs = self.world.api.all(Resource.JOBS)
        if jobs:
            self.world.api.remove(Resource.JOBS, self.random.choice(jobs)["metadata"]["name"])

    def delete_input(self) -> None:
        for body in self.world.api.all(Resource.INPUTS):
            self.world.api.remove(Resource.INPUTS, body["metadata"]["name"])

    def restart(self) -> None:
        self.world.restart()

    def toggle_store(self) -> None:
        self.world.store.up = not self.world.store.up

    def edit(self) -> None:
        self.world.edit(
            parallelism=self.random.randint(1, 5),
            suspend=self.random.random() < 0.3,
            image=self.random.choice(["lab/a:1", "lab/b:1"]),
        )

    def cease(self) -> None:
        self.world.store.up = True
        self.world.nodes.speak = True
        self.world.edit(suspend=False)


@settings(max_examples=settings.default.max_examples // 4)
@given(
    number=st.integers(0, 2**32), lag=st.sampled_from([0.0, 0.5, 0.8]), deeds=st.lists(st.integers(1, 15), max_size=8)
)
def test_a_sweep_completes_despite_any_faults(number: int, lag: float, deeds: list[int]) -> None:
    world = World(runs=16, lag=lag, seed=number, retriesPerRun=10)
    mischief = Mischief(world, number)

    for pause in deeds:
        world.seconds(pause)
        mischief.happen()
    mischief.cease()
    world.until(lambda world: world.status.completion_time is not None, seconds=20_000)

    assert world.status.phase is Phase.COMPLETE
    assert world.status.runs.existing == 16
    assert world.store.committed == world.keys()
    assert max(world.store.rendered.values()) == 1


def test_the_sweep_completes_without_termination_messages() -> None:
    world = World(runs=12)
    world.nodes.speak = False
    world.seconds(30)
    world.nodes.speak = True

    world.until_ended()

    assert world.status.runs.succeeded == 12


def test_counts_never_fall_when_pods_are_deleted() -> None:
    world = World(runs=24, retriesPerRun=10)
    highest = 0
    for _ in range(40):
        world.second()
        for pod in world.api.all(Resource.PODS):
            if pod["status"]["phase"] in ("Succeeded", "Failed") and world.status.runs.succeeded:
                world.api.remove(Resource.PODS, pod["metadata"]["name"])
        assert world.status.runs.succeeded >= highest
        highest = world.status.runs.succeeded

    world.until_ended()
    assert world.status.runs.succeeded == 24
