"""Observed state of the cluster: input of `decide` besides the sweep, the configuration and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from synth_api.resources.conditions import Problem
    from synth_operator.kube.events import JobWarning
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.kube.sweep_object import SweepObject
    from synth_operator.validation import ValidatedSweep


@dataclass(frozen=True)
class Refusal:
    """The API's last answer to the creation of `name`; kept in memory, another try finds it again."""

    name: str
    code: int
    """HTTP status: 403, 409 or 422."""
    message: str
    at: datetime
    namespace_ends: bool = False
    """True if nothing can be created because the namespace is being deleted."""


@dataclass(frozen=True)
class PodAllowance:
    """What the limits of the namespace allow a sweep or dataset."""

    pods: int | None = None
    """Pods at once; None: as many as it asks for."""
    is_short: bool = False
    """True if it asks for more pods than it may have."""
    problem: Problem | None = None
    """The limit that it waits for, if it may not go on; with pods, those that run may end."""
    check_after: float | None = None
    """Seconds after which the limits may allow something else even without an event."""


UNLIMITED: Final = PodAllowance()


@dataclass(frozen=True, kw_only=True)
class ObservedJobs:
    """Jobs of a sweep or dataset, and what belongs to them."""

    jobs: tuple[JobObject, ...] = ()
    """All Jobs with the owner's label, also those of a deleted owner of the same name."""
    pods: tuple[PodObject, ...] = ()
    """Pods of these Jobs, and of Jobs that are deleted."""
    warnings: tuple[JobWarning, ...] = ()
    """Latest Warning Event of each Job without a running container."""
    inputs: frozenset[str] = frozenset()
    """Names of the ConfigMaps that exist with the owner's label."""
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ObservedDataset(ObservedJobs):
    """Objects of the cluster that concern a dataset."""

    sweeps: Mapping[str, SweepObject]
    """The SynthSweeps that its sources name, as far as they exist."""
    problem: Problem | None = None
    """What its filters or splits name that these do not have."""
    allowance: PodAllowance = UNLIMITED


@dataclass(frozen=True, kw_only=True)
class ObservedState(ObservedJobs):
    """Objects of the cluster that concern a sweep."""

    validation: ValidatedSweep | Problem
    recipe: RecipeObject | None = None
    """SynthRecipe that `recipeRef` names."""
    allowance: PodAllowance = UNLIMITED
