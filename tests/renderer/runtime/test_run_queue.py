"""The order in which a pool renders runs."""

from synth_renderer.runtime.protocol import RunTask
from synth_renderer.runtime.run_queue import RunQueue, Try


def task(number: int) -> RunTask:
    return RunTask(number=number, key="", overrides={}, recipe={}, base={})


def test_suspects_come_first_then_retries_then_new_runs() -> None:
    queue = RunQueue.build(iter([task(1), task(2)]), [Try(task(7), deaths=1)])
    first = queue.take()
    second = queue.take()
    assert first is not None
    assert second is not None
    queue.put_back(second.add_death(is_certain=True))

    order = list(iter(queue.take, None))

    assert (first.task.number, first.number, first.is_suspect) == (7, 2, True)
    assert [(attempt.task.number, attempt.number, attempt.is_suspect) for attempt in order] == [
        (1, 2, False),
        (2, 1, False),
    ]


def test_a_death_that_another_run_may_have_caused_makes_a_suspect_and_does_not_count() -> None:
    queue = RunQueue.build(iter([]), [])
    queue.put_back(Try(task(3), deaths=1).add_death(is_certain=False))

    assert queue.take() == Try(task(3), deaths=1, is_suspect=True)


def test_it_takes_no_more_tasks_from_its_source_than_it_needs() -> None:
    source = iter([task(1), task(2), task(3)])
    queue = RunQueue.build(source, [])

    assert queue.count(2) == 2
    assert next(source).number == 3
