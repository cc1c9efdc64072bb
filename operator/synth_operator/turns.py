"""Turns: waiting items of groups, served group by group, so that no group delays another one by its number of items."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """First come first served within a group; at most `share` items of one group are at work at a time.

    Each group waits for one item of every other group at most. All operations take constant time but `find_oldest`,
    which looks at one item of each group. Not thread-safe.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._waiting: dict[Hashable, deque[tuple[float, Item]]] = {}
        self._order: deque[Hashable] = deque()
        self._working: Counter[Hashable] = Counter()
        self._length = 0

    def __len__(self) -> int:
        """Return the number of waiting items."""
        return self._length

    def add(self, group: Hashable, item: Item, since: float) -> None:
        """Add an item that waits since a time, at the end of its group."""
        items = self._waiting.setdefault(group, deque())
        items.append((since, item))
        self._length += 1
        if len(items) == 1 and self._working[group] < self._share:
            self._order.append(group)

    def take(self) -> Item | None:
        """Return the first item of the next group below its share, or None; `release` must follow."""
        if not self._order:
            return None
        group = self._order.popleft()
        items = self._waiting[group]
        _, item = items.popleft()
        self._length -= 1
        self._working[group] += 1
        if not items:
            del self._waiting[group]
        elif self._working[group] < self._share:
            self._order.append(group)
        return item

    def release(self, group: Hashable) -> None:
        """Record that one item of a group is no longer at work."""
        self._working[group] -= 1
        if group in self._waiting and self._working[group] == self._share - 1:
            self._order.append(group)
        if not self._working[group]:
            del self._working[group]

    def find_oldest(self) -> float | None:
        """Return the time since which the oldest item waits, or None without items."""
        return min((items[0][0] for items in self._waiting.values()), default=None)
