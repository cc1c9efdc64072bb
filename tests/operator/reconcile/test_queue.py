import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    return WorkQueue(lambda key: key[0], 2, clock)


def test_a_key_added_twice_is_taken_once(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add("a")
    assert queue.depth == 1

    assert queue.take() == "a"
    assert queue.depth == 0


def test_keys_are_taken_in_the_order_of_their_due_times(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add("later", 2.0)
    queue.add("sooner", 1.0)
    clock.now = 3.0

    assert [queue.take(), queue.take()] == ["sooner", "later"]


def test_the_earlier_of_two_due_times_counts(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add("a", 5.0)
    queue.add("a", 1.0)
    queue.add("a", 9.0)
    clock.now = 1.0

    assert queue.take() == "a"
    queue.finish("a")
    clock.now = 9.0
    assert queue.depth == 0


def test_a_key_due_again_at_a_former_time_is_taken_once(queue: WorkQueue[str], clock: Clock) -> None:
    queue.add("a", 5.0)
    queue.add("a", 1.0)
    clock.now = 1.0
    queue.take()
    queue.finish("a")
    queue.add("a", 4.0)
    clock.now = 5.0

    assert queue.depth == 1


def test_a_key_added_while_taken_is_due_after_it_is_finished(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    queue.add("b")

    assert queue.take() == "b"
    queue.finish("a")
    assert queue.take() == "a"


def test_a_thousand_keys_of_one_group_delay_a_key_of_another_by_one(queue: WorkQueue[str], clock: Clock) -> None:
    for number in range(1000):
        queue.add(f"hostile-{number}")
    clock.now = 1.0
    queue.add("kind-0")
    queue.add("kind-1")

    order = []
    for _ in range(5):
        key = queue.take()
        assert key
        order.append(key)
        queue.finish(key)
        clock.now += 1.0
        queue.add("hostile-again")

    assert order == ["hostile-0", "kind-0", "hostile-1", "kind-1", "hostile-2"]


def test_workers_have_at_most_their_share_of_one_group(queue: WorkQueue[str]) -> None:
    for key in ("a-0", "a-1", "a-2", "b-0"):
        queue.add(key)

    assert [queue.take(), queue.take(), queue.take()] == ["a-0", "b-0", "a-1"]
    assert queue.depth == 1
    queue.retry("a-1")
    assert queue.take() == "a-2"


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "take", "finish", "retry", "wait"]), st.integers(0, 7), st.integers(0, 3)),
        max_size=80,
    )
)
def test_each_added_key_is_taken_once_it_is_due_and_never_by_two_workers(steps: list[tuple[str, int, int]]) -> None:
    clock, due, working = Clock(), dict[str, float](), list[str]()
    queue: WorkQueue[str] = WorkQueue(lambda key: key[0], 2, clock)
    for step, number, seconds in steps:
        key = f"{'ab'[number % 2]}-{number}"
        waiting = {
            key
            for key, at in due.items()
            if at <= clock.now and key not in working and sum(other[0] == key[0] for other in working) < 2
        }
        if step == "add":
            queue.add(key, seconds)
            due[key] = min(due.get(key, math.inf), clock.now + seconds)
        elif step == "take" and waiting:
            taken = queue.take()
            assert taken in waiting
            del due[taken]
            working.append(taken)
        elif step in ("finish", "retry") and working:
            done = working.pop(number % len(working))
            if step == "finish":
                queue.finish(done)
            else:
                again = clock.now + queue.retry(done)
                due[done] = min(due.get(done, math.inf), again)
        elif step == "wait":
            clock.now += seconds
    assert queue.depth == sum(at <= clock.now and key not in working for key, at in due.items())


def test_the_retry_delay_doubles_until_a_success(queue: WorkQueue[str], clock: Clock) -> None:
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


def test_oldest_seconds_includes_waiting_and_taken_keys(queue: WorkQueue[str], clock: Clock) -> None:
    assert queue.oldest_seconds == 0.0
    queue.add("a")
    clock.now = 4.0
    assert queue.oldest_seconds == 4.0
    queue.take()
    clock.now = 5.0
    assert queue.oldest_seconds == 1.0


def test_a_blocked_worker_gets_an_added_key_and_ends_on_close() -> None:
    queue: WorkQueue[str] = WorkQueue(lambda key: key, 1)
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
