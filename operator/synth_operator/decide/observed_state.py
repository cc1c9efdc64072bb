"""Input of `decide` besides the sweep and the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from synth_api.resources.conditions import Problem
    from synth_operator.kube.events import JobWarning
    from synth_operator.kube.job_object import JobObject
    from synth_operator.kube.pod_object import PodObject
    from synth_operator.kube.recipe_object import RecipeObject
    from synth_operator.validation import Checked


@dataclass(frozen=True)
class Refusal:
    """The API refused to make `name` when it was last tried; kept in memory, found again by trying again."""

    name: str
    code: int
    message: str
    at: datetime


@dataclass(frozen=True)
class Observed:
    """Everything that `decide` knows beside the sweep itself."""

    checked: Checked | Problem
    recipe: RecipeObject | None = None
    """The one that `recipeRef` names."""
    jobs: tuple[JobObject, ...] = ()
    """All with this sweep's label, those of a former sweep of its name too."""
    pods: tuple[PodObject, ...] = ()
    """Of these Jobs, and of Jobs that are gone."""
    warnings: tuple[JobWarning, ...] = ()
    inputs: frozenset[str] = frozenset()
    """Names of the ConfigMaps that exist with this sweep's label."""
    refusals: tuple[Refusal, ...] = ()
