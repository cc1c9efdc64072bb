import threading

import pytest

from synth_operator.reconcile.queue import WorkQueue


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueue[str]:
    return WorkQueue(clock)


def test_a_key_added_twice_is_given_out_once(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add("a")
    assert queue.depth == 1

    assert queue.take() == "a"
    assert queue.depth == 0


def test_keys_come_in_the_order_in_which_they_are_due(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add("later", 2.0)
    queue.add("sooner", 1.0)
    clock.now = 3.0

    assert [queue.take(), queue.take()] == ["sooner", "later"]


def test_sooner_wins_over_later(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add("a", 5.0)
    queue.add("a", 1.0)
    queue.add("a", 9.0)
    clock.now = 1.0

    assert queue.take() == "a"
    queue.finish("a")
    clock.now = 9.0
    assert queue.depth == 0


def test_what_is_added_while_worked_on_comes_again_but_only_afterwards(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    queue.add("b")

    assert queue.take() == "b"
    queue.finish("a")
    assert queue.take() == "a"


def test_failures_wait_twice_as_long_each_time_until_one_succeeds(queue: WorkQueue[str], clock: Clock) -> None:
    delays = []
    queue.add("a")
    for _ in range(12):
        assert queue.take() == "a"
        delays.append(queue.retry("a"))
        clock.now += delays[-1]

    assert delays[:4] == [0.2, 0.4, 0.8, 1.6]
    assert delays[-1] == 60.0
    assert queue.take() == "a"
    queue.finish("a")
    queue.add("a")
    queue.take()
    assert queue.retry("a") == 0.2


def test_the_oldest_is_the_one_that_waits_or_is_worked_on_longest(queue: WorkQueue[str], clock: Clock) -> None:
    assert queue.oldest_seconds == 0.0
    queue.add("a")
    clock.now = 4.0
    assert queue.oldest_seconds == 4.0
    queue.take()
    clock.now = 5.0
    assert queue.oldest_seconds == 1.0


def test_a_waiting_worker_gets_what_is_added_and_closing_lets_it_go() -> None:
    queue: WorkQueue[str] = WorkQueue()
    taken: list[str | None] = []

    def work() -> None:
        while (key := queue.take()) is not None:
            taken.append(key)
            queue.finish(key)
        taken.append(None)

    worker = threading.Thread(target=work)
    worker.start()
    queue.add("a")
    queue.add("b", 0.01)
    done = threading.Event()
    while len(taken) < 2 and not done.wait(0.001):
        pass
    queue.close()
    worker.join(10)

    assert taken == ["a", "b", None]
