"""Clusters that grow body by body: rafts close up, chains go on, rings come round.

Outputs of a cluster's key: 0 its size, 1 its heading, from 16 the bends of a chain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from synth_renderer.deposit.pose import draw_heading
from synth_renderer.randomness.hashing import draw_uniform, draw_word

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLUSTERS: Final = ("rafts", "chains", "rings")
"""Layouts that consist of such clusters."""
MAX_BEND: Final = 0.7
"""Tangent of the largest angle between neighbouring links of a chain."""
SIDES: Final = 8
"""Sides from which a body tries to join a raft."""


@dataclass
class GrowingCluster:
    """A cluster that grows; lengths in scene units."""

    kind: str
    """One of `CLUSTERS`."""
    key: np.uint64
    size: int
    """Number of bodies at which it is complete."""
    direction: NDArray[np.float64]
    """Unit vector (2,) of the next link of a chain or ring."""
    members: list[tuple[float, float, float]] = field(default_factory=list)
    """x, y and reach of each body."""

    @classmethod
    def begin(cls, kind: str, key: np.uint64, largest: int) -> GrowingCluster:
        """Return a cluster without bodies, complete with 1 … `largest`, each number as likely."""
        size = 1 + int(float(draw_uniform(key, np.uint64(0))) * largest)
        return cls(kind, key, size, draw_cluster_heading(key))

    @property
    def is_complete(self) -> bool:
        """True if no body is to join it."""
        return len(self.members) >= self.size

    def list_paths(self, reach: float, key: np.uint64) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """Return paths, start and target (x, y), on which a body of this reach and key may join, in order of trial."""
        if self.kind != "rafts":
            x, y, last = self.members[-1]
            return [(_move((x, y), self.direction, last + reach), (x, y))]
        every = np.array(self.members)
        x, y = (math.fsum(every[:, axis]) / len(every) for axis in range(2))
        across = np.sqrt((every[:, 0] - x) * (every[:, 0] - x) + (every[:, 1] - y) * (every[:, 1] - y))
        distance = float((across + every[:, 2]).max()) + reach
        sides = (draw_heading(np.uint64(draw_word(key, np.uint64(side)))) for side in range(SIDES))
        return [(_move((x, y), side, distance), (x, y)) for side in sides]

    def join(self, x: float, y: float, reach: float) -> None:
        """Add a body; the next link of a chain bends at random, that of a ring by an equal share of the turn."""
        if self.kind == "rings":
            angle = 2 * math.pi / self.size
            # Rounded, because the last bit of cosines differs between processors.
            along, across = float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))
        else:
            output = np.uint64(16 + len(self.members))
            along, across = 1.0, MAX_BEND * (2 * float(draw_uniform(self.key, output)) - 1)
        if self.members:
            u, v = self.direction.tolist()
            turned = np.array([along * u - across * v, across * u + along * v])
            self.direction = turned / math.sqrt(float(turned[0] * turned[0] + turned[1] * turned[1]))
        self.members.append((x, y, reach))


def draw_cluster_heading(key: np.uint64) -> NDArray[np.float64]:
    """Return the unit vector (2,) along which the aligned bodies of a cluster lie."""
    return draw_heading(np.uint64(draw_word(key, np.uint64(1))))


def _move(point: tuple[float, float], direction: NDArray[np.float64], distance: float) -> tuple[float, float]:
    return point[0] + distance * float(direction[0]), point[1] + distance * float(direction[1])
