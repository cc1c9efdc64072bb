from __future__ import annotations

from threading import Event, Timer

import pytest

from synth_dataset.store.read_ahead import read_ahead


@pytest.mark.parametrize("threads", [1, 3])
def test_results_have_the_order_of_the_items(threads: int) -> None:
    assert list(read_ahead(lambda item: item * item, range(20), threads)) == [item * item for item in range(20)]


def test_no_more_than_twice_as_many_items_as_threads_are_taken_ahead() -> None:
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    results = read_ahead(lambda item: item, items(), 3)
    assert next(results) == 0
    assert len(taken) == 6
    assert next(results) == 1
    assert len(taken) == 7


def test_an_abandoned_iteration_starts_no_further_call() -> None:
    begun, release = [], Event()

    def wait(item: int) -> int:
        begun.append(item)
        if item:
            release.wait(30)
        return item

    results = read_ahead(wait, range(100), 2)
    assert next(results) == 0
    Timer(0.2, release.set).start()
    results.close()
    assert 3 not in begun
