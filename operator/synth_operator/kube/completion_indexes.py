"""Completion indexes of a Job as Kubernetes writes them: `0,2-5,9`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class CompletionIndexes:
    """A set of indexes, as ranges in ascending order."""

    ranges: tuple[range, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the indexes in a text like `status.completedIndexes`."""
        return cls(tuple(_parse_range(part) for part in text.split(",") if part))

    def __len__(self) -> int:
        return sum(map(len, self.ranges))

    def __iter__(self) -> Iterator[int]:
        for part in self.ranges:
            yield from part

    def __contains__(self, index: int) -> bool:
        return any(index in part for part in self.ranges)


def _parse_range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


NO_INDEXES: Final = CompletionIndexes()
