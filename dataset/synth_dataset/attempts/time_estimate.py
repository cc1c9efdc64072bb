"""How long runs will take, from what a store has measured of runs like them.

Runs are alike when measurement techniques and rendering steps of their recipes are equal: the same picture size and the
same pictures. Among those, time goes with the number of particles, so the nearest in number count.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, Final

from synth_api.canonical_json import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from synth_dataset.documents.run_manifest import Manifest

NEIGHBOURS: Final = 5
"""Measured runs that a run's time is the median of: the first run of a worker, which warms up, is no measure."""
FAR: Final = log(1.5)
"""Beyond this factor in the number of particles a measured run says little."""


@dataclass(frozen=True)
class Work:
    """What a run's time depends on; `kind` is equal for runs that are alike."""

    kind: bytes
    particles: int

    @classmethod
    def of(cls, recipe: Mapping[str, Any]) -> Work:
        """Of a canonical recipe."""
        blueprints = recipe["blueprints"]
        kind = [blueprints["measurement_techniques"], recipe["synth_chain"]["rendering_steps"]]
        particles = blueprints.get("particles", {}).values()
        return cls(canonical_json(kind), sum(blueprint["number"] for blueprint in particles))

    def distance(self, other: Work) -> float:
        """Between runs that are alike, as a logarithm: 0 for equal numbers of particles."""
        return abs(log((self.particles + 1) / (other.particles + 1)))


@dataclass(frozen=True)
class TimeEstimate:
    """Mean seconds of a run on one worker."""

    seconds_per_run: float
    measured: int
    """Runs of the store that it comes from."""
    is_rough: bool
    """Whether some runs have no measured one near them."""


def estimate(recipes: Iterable[Mapping[str, Any]], measured: Iterable[Manifest]) -> TimeEstimate | None:
    """The time of runs with these canonical recipes; None when none of the measured runs is like any of them."""
    known: dict[bytes, list[tuple[Work, float]]] = {}
    for manifest in measured:
        work = Work.of(manifest.recipe)
        known.setdefault(work.kind, []).append((work, manifest.total_seconds))
    wanted = [Work.of(recipe) for recipe in recipes]
    guesses = [_guess(work, known[work.kind]) for work in wanted if work.kind in known]
    if not guesses:
        return None
    used = sum(len(known[kind]) for kind in {work.kind for work in wanted} & known.keys())
    is_rough = len(guesses) < len(wanted) or any(distance > FAR for _, distance in guesses)
    return TimeEstimate(fmean(seconds for seconds, _ in guesses), used, is_rough)


def _guess(work: Work, measured: Sequence[tuple[Work, float]]) -> tuple[float, float]:
    """Seconds, and how far the nearest measured run is."""
    nearest = sorted(measured, key=lambda run: work.distance(run[0]))[:NEIGHBOURS]
    return median(seconds for _, seconds in nearest), work.distance(nearest[0][0])
