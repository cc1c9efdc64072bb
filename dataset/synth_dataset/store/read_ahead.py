"""Parallel map with bounded memory and results in order."""

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
    """Yield `function` of each item in order, computed by `threads` threads; hold at most twice as many results.

    Raises the error of `function` at its item.
    """
    if threads == 1:
        yield from map(function, items)
        return
    stream = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        futures = deque(pool.submit(function, item) for item in islice(stream, 2 * threads))
        try:
            while futures:
                yield futures.popleft().result()
                futures.extend(pool.submit(function, item) for item in islice(stream, 1))
        finally:
            for future in futures:
                future.cancel()
