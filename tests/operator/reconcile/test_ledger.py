"""The ledger grants no more than the limits, to the oldest sweep first, and forgets nothing that still runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_api.resources.namespace_limits import NamespaceLimits
from synth_operator.reconcile.ledger import NOTHING, Amount, Grant, Ledger

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
AGE = {name: START + timedelta(minutes=number) for number, name in enumerate("abcdefghij")}


def seen(pods: int = 0, gpus: int = 0) -> Amount:
    return Amount(0, pods, gpus)


def ask(ledger: Ledger, name: str, pods: int, gpus: int = 0, use: Amount = NOTHING) -> Grant | None:
    """Look at a sweep that asks for pods."""
    ledger.register(name, AGE[name], use, at_work=False)
    return ledger.settle(name, use, pods, gpus)


def restore(ledger: Ledger, name: str, pods: int, gpus: int = 0, use: Amount = NOTHING) -> Grant | None:
    """Look at a sweep that is at work by its status."""
    ledger.register(name, AGE[name], use, at_work=True)
    return ledger.settle(name, use, pods, gpus)


def test_without_limits_every_sweep_has_what_it_asks_for() -> None:
    ledger = Ledger(NamespaceLimits())

    assert ask(ledger, "a", 10_000, 16) == Grant(10_000)
    assert ask(ledger, "b", 10_000, 16) == Grant(10_000)


def test_a_sweep_beyond_the_limit_waits_and_is_due_when_another_ends() -> None:
    ledger = Ledger(NamespaceLimits(sweeps=1))

    assert ask(ledger, "a", 5) == Grant(5)
    assert ask(ledger, "b", 5) == Grant(0, ("sweeps",))
    assert ledger.waiting == 1
    assert ledger.take_due() == set()
    ask(ledger, "a", 0)

    assert ledger.take_due() == {"b"}
    assert ask(ledger, "b", 5) == Grant(5)
    assert ledger.waiting == 0


def test_a_sweep_of_more_pods_than_the_limit_runs_with_the_limit() -> None:
    ledger = Ledger(NamespaceLimits(pods=10))

    assert ask(ledger, "a", 16) == Grant(10)
    assert ask(ledger, "b", 16) == Grant(0, ("pods",))


def test_pods_that_become_free_go_to_the_oldest_sweep_that_wants_more() -> None:
    ledger = Ledger(NamespaceLimits(pods=10))
    ask(ledger, "c", 6)
    ask(ledger, "a", 6)  # has 4
    ask(ledger, "b", 6)

    ask(ledger, "c", 3)

    assert ledger.take_due() == {"a"}
    assert ask(ledger, "b", 6) == Grant(0, ("pods",)), "b is younger than a, which waits for two pods"
    assert ask(ledger, "a", 6) == Grant(6)
    assert ledger.take_due() == {"b"}
    assert ask(ledger, "b", 6) == Grant(1, ("pods",))


def test_a_sweep_keeps_its_place_one_pod_and_its_gpus() -> None:
    ledger = Ledger(NamespaceLimits(pods=4, gpus=4))
    assert ask(ledger, "b", 1, 2) == Grant(1)
    assert ask(ledger, "a", 4, 1) == Grant(2, ("pods", "gpus"))

    assert ask(ledger, "b", 1, 2) == Grant(1)


def test_a_sweep_that_waits_for_gpus_does_not_hold_up_one_without() -> None:
    ledger = Ledger(NamespaceLimits(pods=10, gpus=2))
    ask(ledger, "a", 2, 1)

    assert ask(ledger, "b", 2, 1) == Grant(0, ("gpus",))
    assert ask(ledger, "c", 2, 0) == Grant(2)


def test_a_sweep_that_waits_for_many_gpus_is_not_starved_by_younger_ones() -> None:
    ledger = Ledger(NamespaceLimits(gpus=4))
    ask(ledger, "a", 3, 1)
    ask(ledger, "b", 1, 4)

    assert ask(ledger, "c", 1, 1) == Grant(0, ("gpus",)), "one GPU is free, but b is older and waits for four"


def test_pods_that_end_count_until_they_are_gone() -> None:
    ledger = Ledger(NamespaceLimits(pods=4))
    ask(ledger, "a", 4)

    ask(ledger, "a", 0, use=seen(pods=3))

    assert ask(ledger, "b", 4) == Grant(1, ("pods",))


def test_pods_of_a_deleted_sweep_count_until_they_are_gone() -> None:
    ledger = Ledger(NamespaceLimits(pods=4))
    ask(ledger, "a", 4)

    ledger.remove("a", seen(pods=4))
    assert ask(ledger, "b", 4) == Grant(0, ("pods",))
    ledger.remove("a")

    assert ledger.take_due() == {"b"}
    assert not ledger.has("a")


def test_a_sweep_created_again_has_the_age_of_its_creation() -> None:
    ledger = Ledger(NamespaceLimits(sweeps=1))
    ask(ledger, "b", 1)
    ask(ledger, "c", 1)
    ledger.register("a", AGE["j"], NOTHING, at_work=False)
    ledger.settle("a", NOTHING, 1, 0)

    ask(ledger, "b", 0)

    assert ledger.take_due() == {"c"}


def test_nothing_new_is_granted_before_every_sweep_of_the_namespace_was_looked_at() -> None:
    ledger = Ledger(NamespaceLimits(sweeps=1), unseen=["a", "b", "c"])

    assert ask(ledger, "c", 2) is None
    assert ask(ledger, "b", 2) is None
    assert ledger.take_due() == set()
    assert restore(ledger, "a", 2) == Grant(2), "a was at work between two Jobs and goes on"
    assert ledger.take_due() == {"b", "c"}
    assert ask(ledger, "b", 2) == Grant(0, ("sweeps",))


@pytest.mark.parametrize("unseen", [(), ("a", "b")])
def test_an_older_sweep_comes_first_although_its_check_takes_longer(unseen: tuple[str, ...]) -> None:
    ledger = Ledger(NamespaceLimits(sweeps=1), unseen)
    ledger.register("a", AGE["a"], NOTHING, waits=True)
    ledger.end_pass("a")

    assert ask(ledger, "b", 2) == Grant(0, ("sweeps",))
    assert ask(ledger, "a", 2) == Grant(2)


def test_a_sweep_whose_passes_fail_holds_up_no_younger_one() -> None:
    ledger = Ledger(NamespaceLimits(sweeps=1))
    ask(ledger, "c", 2)
    ask(ledger, "a", 2)
    ask(ledger, "b", 2)

    ledger.pass_over("a")
    ask(ledger, "c", 0)

    assert ledger.take_due() == {"b"}
    assert ask(ledger, "b", 2) == Grant(2)


def test_a_pass_that_fails_does_not_hold_up_its_namespace() -> None:
    ledger = Ledger(NamespaceLimits(sweeps=1), unseen=["a", "b"])
    assert ask(ledger, "b", 2) is None

    ledger.register("a", AGE["a"], NOTHING, at_work=False)
    ledger.end_pass("a")

    assert ledger.take_due() == {"b"}
    assert ask(ledger, "b", 2) == Grant(2)


def test_a_sweep_deleted_before_it_was_looked_at_does_not_hold_up_its_namespace() -> None:
    ledger = Ledger(NamespaceLimits(sweeps=1), unseen=["a", "b"])
    assert ask(ledger, "b", 2) is None

    ledger.remove("a")

    assert ledger.take_due() == {"b"}


def test_lower_limits_after_a_restart_stop_the_youngest() -> None:
    ledger = Ledger(NamespaceLimits(sweeps=2, pods=6), unseen=["a", "b", "c"])
    for name in "cba":
        restore(ledger, name, 4, use=seen(pods=4))

    assert ledger.take_due() >= {"b", "c"}
    assert ask(ledger, "c", 4, use=seen(pods=4)) == Grant(0, ("sweeps", "pods"))
    assert ask(ledger, "b", 4, use=seen(pods=4)) == Grant(2, ("pods",))
    assert ask(ledger, "a", 4, use=seen(pods=4)) == Grant(4)


@dataclass
class Team:
    """A namespace whose sweeps ask, work, shrink, suspend and go in any order; what is due is looked at, or late.

    Those of `datasets` are datasets, which need no place.
    """

    limits: NamespaceLimits
    random: Random
    datasets: str = ""
    ledger: Ledger = field(init=False)
    wanted: dict[str, tuple[int, int]] = field(default_factory=dict)
    pods: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Pods that exist, and the GPUs of each."""
    queue: set[str] = field(default_factory=set)
    started: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.limits)

    def look(self, name: str) -> None:
        pods, each = self.pods.get(name, (0, 0))
        wanted, gpus = self.wanted.get(name, (0, 0))
        use = seen(pods, pods * each)
        self.ledger.register(name, AGE[name], use, at_work=False, places=int(name not in self.datasets))
        grant = self.ledger.settle(name, use, wanted, gpus)
        assert grant is not None
        if grant.pods and name not in self.started:
            self.started.append(name)
        if not pods or each == gpus:
            self.pods[name] = (grant.pods if grant.pods >= pods else pods, gpus)
        self.queue |= self.ledger.take_due()

    def act(self) -> None:
        name = self.random.choice(list(AGE))
        match self.random.randrange(4):
            case 0:
                self.wanted[name] = (self.random.randint(1, 5), self.random.randint(0, 2))
            case 1:
                self.wanted.pop(name, None)
            case 2:  # pods end, as many as are no longer wanted
                pods, gpus = self.pods.get(name, (0, 0))
                self.pods[name] = (min(pods, self.wanted.get(name, (0, 0))[0]), gpus)
            case _ if self.queue:
                name = self.random.choice(sorted(self.queue))
                self.queue.discard(name)
        self.look(name)

    def check(self) -> None:
        pods = sum(number for number, _ in self.pods.values())
        gpus = sum(number * each for number, each in self.pods.values())
        assert self.limits.pods is None or pods <= self.limits.pods
        assert self.limits.gpus is None or gpus <= self.limits.gpus
        assert self.limits.sweeps is None or self.ledger.use.sweeps <= self.limits.sweeps

    def finish_all(self) -> None:
        """Let every sweep that works end; whoever waits is looked at only when it is due."""
        for name in AGE:
            self.look(name)
        for _ in range(200):
            while self.queue:
                self.look(self.queue.pop())
                self.check()
            working = [name for name, (pods, _) in self.pods.items() if pods]
            if not working:
                return
            name = self.random.choice(working)
            self.wanted.pop(name, None)
            self.pods[name] = (0, 0)
            self.look(name)


limit = st.none() | st.integers(2, 8)


@given(
    sweeps=limit,
    pods=limit,
    gpus=limit,
    seed=st.integers(0, 2**32),
    steps=st.integers(0, 80),
    datasets=st.text("abcdefghij"),
)
def test_no_interleaving_exceeds_a_limit_and_no_sweep_waits_for_ever(
    sweeps: int | None, pods: int | None, gpus: int | None, seed: int, steps: int, datasets: str
) -> None:
    team = Team(NamespaceLimits(sweeps=sweeps, pods=pods, gpus=gpus), Random(seed), datasets)
    for _ in range(steps):
        team.act()
        team.check()
    waiting = set(team.wanted)
    team.started.clear()

    team.finish_all()

    assert not team.wanted, f"{team.wanted} of {waiting} still wait"
    assert team.ledger.use == NOTHING


@given(seed=st.integers(0, 2**32), places=st.integers(1, 4))
def test_waiting_sweeps_start_in_order_of_age(seed: int, places: int) -> None:
    random = Random(seed)
    team = Team(NamespaceLimits(sweeps=places), random)
    team.wanted = dict.fromkeys(AGE, (1, 0))
    for name in random.sample(list(AGE), len(AGE)):
        team.look(name)
    first = set(team.started)

    team.finish_all()

    later = [name for name in team.started if name not in first]
    assert later == sorted(later)


@pytest.mark.parametrize("number", [10_000])
def test_a_look_does_not_depend_on_the_number_of_sweeps(number: int) -> None:
    ledger = Ledger(NamespaceLimits(sweeps=10))
    names = [f"s{index:05}" for index in range(number)]
    for name in names:
        ledger.register(name, START, NOTHING, at_work=False)
        ledger.settle(name, NOTHING, 1, 0)

    looks = 0
    for name in names[:1000]:
        ledger.settle(name, NOTHING, 0, 0)
        due = ledger.take_due()
        for other in due:
            ledger.settle(other, NOTHING, 1, 0)
        looks += len(due)

    assert looks == 1000
    assert ledger.waiting == number - 1010
