"""Results in order while later ones are already being worked on."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

A = TypeVar("A")
B = TypeVar("B")


def read_ahead(function: Callable[[A], B], items: Iterable[A], threads: int) -> Iterator[B]:
    """`function` of each item, in order, by so many threads; holds twice as many results at most.

    Raises what `function` raises, at its item.
    """
    if threads == 1:
        yield from map(function, items)
        return
    stream = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque(pool.submit(function, item) for item in islice(stream, 2 * threads))
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(function, item) for item in islice(stream, 1))
        finally:
            for future in waiting:
                future.cancel()
