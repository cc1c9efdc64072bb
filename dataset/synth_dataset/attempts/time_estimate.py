"""Estimate of the time of runs from measured runs of a store.

Runs are alike if the measurement techniques and rendering steps of their recipes are equal, hence picture sizes and
modes. Among these the time depends on the number of particles, so the runs nearest in that number count.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, Final

from synth_api.canonical_json import canonical_json
from synth_api.recipe.model import ParticleBlueprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_NEIGHBOURS: Final = 5
"""The estimate is the median of so many measured runs, because the first run of a worker is slow."""
MAX_DISTANCE: Final = log(1.5)
"""Natural logarithm of the ratio of particle numbers from which an estimate is rough."""


@dataclass(frozen=True)
class Work:
    """Quantities that determine the time of a run; `kind` is equal for runs that are alike."""

    kind: bytes
    particles: int

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Work:
        """Return the work of a canonical recipe."""
        blueprints = recipe["blueprints"]
        kind = [blueprints["measurement_techniques"], recipe["synth_chain"]["rendering_steps"]]
        particles = blueprints.get("particles", {}).values()
        return cls(canonical_json(kind), sum(map(_count_particles, particles)))

    def distance(self, other: Work) -> float:
        """Compute the distance to a run that is alike: |ln((n + 1) / (m + 1))| for n and m particles."""
        return abs(log((self.particles + 1) / (other.particles + 1)))


def _count_particles(blueprint: Mapping[str, Any]) -> int:
    number = blueprint["number"]
    return number if isinstance(number, int) else ParticleBlueprint.model_validate(blueprint).max_number


@dataclass(frozen=True)
class TimeEstimate:
    """Mean time of a run on one worker."""

    seconds_per_run: float
    measured: int
    """Number of measured runs behind the estimate."""
    is_rough: bool
    """True if some runs have no measured run within MAX_DISTANCE."""


def estimate_time(
    recipes: Iterable[Mapping[str, Any]], measured: Iterable[tuple[Mapping[str, Any], float]]
) -> TimeEstimate | None:
    """Estimate the time of runs with these canonical recipes from (recipe, seconds); None if no such run is alike."""
    known: dict[bytes, list[tuple[Work, float]]] = {}
    for tree, seconds in measured:
        work = Work.from_recipe(tree)
        known.setdefault(work.kind, []).append((work, seconds))
    works = [Work.from_recipe(recipe) for recipe in recipes]
    guesses = [_estimate_run(work, known[work.kind]) for work in works if work.kind in known]
    if not guesses:
        return None
    used = sum(len(known[kind]) for kind in {work.kind for work in works} & known.keys())
    is_rough = len(guesses) < len(works) or any(distance > MAX_DISTANCE for _, distance in guesses)
    return TimeEstimate(fmean(seconds for seconds, _ in guesses), used, is_rough)


def _estimate_run(work: Work, measured: Sequence[tuple[Work, float]]) -> tuple[float, float]:
    """Return the estimated seconds of a run and the distance of the nearest measured run."""
    nearest = sorted(measured, key=lambda run: work.distance(run[0]))[:MAX_NEIGHBOURS]
    return median(seconds for _, seconds in nearest), work.distance(nearest[0][0])
