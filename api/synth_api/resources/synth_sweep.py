"""SynthSweep: a sweep as a custom resource."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, computed_field, model_validator

from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.resources.base import Part, Section, Time
from synth_api.resources.conditions import Condition, Problem
from synth_api.resources.output import ObjectName, Output
from synth_api.resources.pod_template import PodTemplateSchema, Resources, Toleration
from synth_api.sentences import ClaimedName, ClaimedText, ClaimedValues

KIND = "SynthSweep"
MAX_NAME = 40
"""Characters of a sweep's name, so that the names of all its children fit."""

Device = Literal["auto", "gpu", "cpu", "optix", "cuda", "hip", "oneapi"]
MAX_OVERRIDES_LENGTH = 65_536
"""Characters of all overrides of a sweep together."""

MAX_DEVICES = 8
"""Kinds of GPUs that a status names."""

OverridePath = Annotated[str, Field(min_length=1, max_length=512)]


def _check_total_length(overrides: tuple[str, ...]) -> tuple[str, ...]:
    total = sum(map(len, overrides))
    if total > MAX_OVERRIDES_LENGTH:
        problem = f"have {total:,} characters together, at most {MAX_OVERRIDES_LENGTH:,} are allowed; split the sweep"
        raise InputError("overrides", problem)
    return overrides


class RecipeRef(Part):
    """A SynthRecipe in the sweep's namespace."""

    name: ObjectName
    """Its name."""


class Range(Part):
    """start, start + step, … up to but not including stop."""

    start: int | float = 0
    """First value."""
    stop: int | float
    """The first number that is no longer a value."""
    step: int | float = 1
    """Distance of the values, not 0."""


class SingleAxis(Part):
    """Axis of one key of the recipe."""

    path: OverridePath
    """Dotted path of the key in the recipe; `+` in front of one that the recipe does not write."""
    values: Annotated[tuple[Any, ...], Field(min_length=1, max_length=10_000)] | None = None
    """Its values, in order."""
    range: Range | None = None
    """Its values as a range of numbers."""


class AxisSpec(Part):
    """`path` with `values` or `range`; or `zip`, axes of equal length that move together."""

    path: OverridePath | None = None
    """Dotted path of the key in the recipe; `+` in front of one that the recipe does not write."""
    values: Annotated[tuple[Any, ...], Field(min_length=1, max_length=10_000)] | None = None
    """Its values, in order."""
    range: Range | None = None
    """Its values as a range of numbers."""
    zip: Annotated[tuple[SingleAxis, ...], Field(min_length=2, max_length=16)] | None = None
    """Axes of equal length that move together."""


class Gpu(Part):
    """GPUs that each render pod requests; omitted fields come from the operator's configuration."""

    resource_name: Annotated[str, Field(min_length=1, max_length=317)] | None = None
    """Extended resource, `nvidia.com/gpu` unless the operator is configured otherwise."""
    count: Annotated[int, Field(ge=1, le=16)] = 1
    """GPUs per pod."""
    node_selector: dict[str, str] | None = None
    """Labels of the GPU nodes."""
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] | None = None
    """Taints of the GPU nodes that are tolerated."""
    runtime_class_name: ObjectName | None = None
    """Runtime class of the GPU pods."""


class Budget(Part):
    """What a sweep may spend, over all its attempts, before it stops; at least one limit."""

    gpu_hours: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    """GPU hours: the time of the render pods on their nodes, times the GPUs that they request."""
    cpu_hours: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    """CPU hours: the time of the render pods on their nodes, times the CPUs that they request."""
    runs: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """Runs that are rendered or fail; runs that existed before cost nothing."""


class DeletionPolicy(StrEnum):
    """Fate of a sweep's dataset and runs when the sweep is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Packaging(StrEnum):
    """How the store holds the runs that a sweep renders."""

    FILES = "files"
    SHARDS = "shards"


class SweepSpec(Part):
    """Recipe, axes and output of a sweep, and how its runs are rendered."""

    recipe_ref: RecipeRef | None = None
    """The SynthRecipe to sweep; or `recipe`."""
    recipe: Section | None = None
    """The recipe itself, as an object; or `recipeRef`."""
    fragments: dict[str, Section] = Field(default={}, max_length=64)
    """Fragments of the inline recipe, path without its ending -> object."""
    overrides: Annotated[
        tuple[Annotated[str, Field(max_length=4096)], ...], Field(max_length=64), AfterValidator(_check_total_length)
    ] = ()
    """Overrides and axes as Hydra writes them: `number=100,200`, `seed=range(15)`; or `axes`."""
    axes: Annotated[tuple[AxisSpec, ...], Field(max_length=16)] = ()
    """Axes whose product is the sweep, the last one fastest; or `overrides`."""
    exclude: Annotated[tuple[Section, ...], Field(max_length=64)] = ()
    """Partial assignments, path -> value: runs that match one of them are excluded."""
    dataset: DatasetCard | None = None
    """What people say of the dataset; goes before the block `dataset` of the recipe, key by key."""
    parallelism: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Render pods at a time."""
    batch_size: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Runs per pod; chosen automatically by default."""
    packaging: Packaging = Packaging.FILES
    """`files`: each run has files of its own; `shards`: many runs are packed into a tar file of about 256 MB."""
    suspend: bool = False
    """True stops rendering; finished runs stay."""
    max_failed_runs: Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^(100|[0-9]{1,2})%$")] = 0
    """Failed runs, or a percentage of all, beyond which the sweep ends as failed."""
    workers_per_pod: Annotated[int, Field(ge=1, le=64)] | None = None
    """Runs that a render pod renders at a time; by default 1, with GPUs as many as the pod's limits allow."""
    retries_per_run: Annotated[int, Field(ge=0, le=10)] = 2
    """Retries of a run whose worker died."""
    active_deadline_seconds: Annotated[int, Field(ge=1)] | None = None
    """Seconds from its start after which an unfinished sweep fails."""
    budget: Budget | None = None
    """What the sweep may spend before it stops; finished runs stay, and a larger budget goes on."""
    retry_token: Annotated[str, Field(max_length=64)] = ""
    """Any word; a new one retries failed and missing runs."""
    device: Device | None = None
    """Device that renders; `gpu` by default when the sweep has a `gpu` block, else `cpu`."""
    gpu: Gpu | None = None
    """Renders on GPU nodes; without it on CPU nodes."""
    resources: Resources | None = None
    """Resources of the render container; omitted fields come from the operator's configuration."""
    pod_template: Annotated[dict[str, Any], PodTemplateSchema()] | None = None
    """Overlay of the render pods' template, merged last. Fields that are not shown need `sweeps.overlay.trusted`."""
    queue_name: Annotated[ObjectName, Field(max_length=63)] | None = None
    """Kueue queue of the render Jobs; it becomes a label's value, of at most 63 characters."""
    priority_class_name: ObjectName | None = None
    """Priority class of the render pods."""
    output: Output | None = None
    """Output of the dataset; without it the output of the operator's configuration."""
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """Fate of dataset and runs when the sweep is deleted."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0)] | None = None
    """Seconds that finished child Jobs are kept, at least until they are counted."""
    image: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """Renderer image, of those that the operator allows."""


class Phase(StrEnum):
    """One word for the PHASE column; conditions say more."""

    PENDING = "Pending"
    PLANNING = "Planning"
    WAITING = "Waiting"
    RENDERING = "Rendering"
    FINALIZING = "Finalizing"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"
    DELETING = "Deleting"


class RunCounts(Part):
    """Runs of the current attempt."""

    total: int = 0
    """All runs of the sweep."""
    cached: int = 0
    """Runs that existed when the attempt began."""
    succeeded: int = 0
    """Runs that were to do and exist now."""
    failed: int = 0
    """Runs recorded as failed."""
    active: int = 0
    """Render pods that run now."""

    @computed_field(alias="done")  # type: ignore[prop-decorator]
    @property
    def existing(self) -> int:
        """Runs that exist; written for the DONE column, derived when read."""
        return self.cached + self.succeeded

    @model_validator(mode="before")
    @classmethod
    def _ignore_derived_field(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if key != "done"} if isinstance(data, dict) else data


class RunFailure(Part):
    """Failed run with its overrides, reason and message."""

    run: int
    """Its number."""
    overrides: ClaimedValues = Field(default={})
    """Its overrides, path -> value."""
    reason: ClaimedText
    """One word."""
    message: ClaimedText = ""
    """One sentence."""


class StageSeconds(Part):
    """Seconds that the runs of a sweep took, by stage."""

    stage: ClaimedText
    """Name of the stage."""
    seconds: float
    """Sum over all runs."""


class FailureCount(Part):
    """Failed runs by reason."""

    reason: ClaimedText
    """One word."""
    runs: int
    """Number of failed runs with this reason."""


class ResourceUsage(Part):
    """Resources that the current attempt has used, for metrics."""

    seconds: Annotated[tuple[StageSeconds, ...], Field(max_length=32)] = ()
    """Render seconds by stage."""
    gpu_seconds_used: float = 0.0
    """GPU seconds of runs that exist."""
    gpu_seconds_lost: float = 0.0
    """GPU seconds of runs that failed or were dropped."""
    gpu_seconds_startup: float | None = None
    """GPU seconds of pods before their first run; null without GPUs."""
    bytes: int = 0
    """Bytes written to the store."""


class Spending(Part):
    """What a sweep has spent: the time of its render pods, as the nodes report it, and its runs."""

    gpu_seconds: float = 0.0
    """Seconds times GPUs."""
    cpu_seconds: float = 0.0
    """Seconds times requested CPUs."""
    runs: int = 0
    """Runs rendered or failed."""


class Forecast(Part):
    """What the sweep will have spent at its end, judged by the batches that have ended; all attempts count."""

    gpu_hours: float
    """GPU hours."""
    cpu_hours: float
    """CPU hours."""
    cost: float | None = None
    """GPU hours times the hourly price in the operator's configuration, in its currency; null without a price."""
    end: Time | None = None
    """When rendering ends at this pace; null while the sweep does not render."""


class SettledShards(Part):
    """Totals of the shards whose Jobs may be deleted."""

    shards: int = 0
    """Number of shards, counted from the first."""
    succeeded: int = 0
    """Runs that were to do and exist."""
    failed: int = 0
    """Runs recorded as failed."""
    reasons: Annotated[tuple[FailureCount, ...], Field(max_length=32)] = ()
    """Failed runs by reason."""
    usage: ResourceUsage = ResourceUsage()
    """Resources that their runs used."""


class AttemptStatus(Part):
    """Attempt at the plan: the current one, or the last one."""

    hash: str
    """sha256 that identifies the attempt."""
    count: int = 0
    """Attempts of this sweep before it."""
    stale: int = 0
    """Of these, the last ones in a row that found runs missing at their end."""
    earlier: Spending = Spending()
    """What the attempts before it have spent."""
    retry_token: str = ""
    """Retry token at its start."""
    todo: int | None = None
    """Runs to render; null until the attempt is planned."""
    batch_size: int = 0
    """Runs of a batch; the last one may have fewer."""
    pace_time: Time | None = None
    """When its rendering began or was resumed: throughput is counted from here."""
    pace_runs: int = 0
    """Runs that were finished by then."""
    verdict: Problem | None = None
    """Reason why the attempt stopped before all runs were rendered."""
    settled: SettledShards = SettledShards()
    """Shards with final counts; their Jobs may be deleted."""


class SweepStatus(Part):
    """Status of the sweep; its size is bounded, whatever the number of runs."""

    observed_generation: int = 0
    """Generation of the spec that this status belongs to."""
    phase: Phase = Phase.PENDING
    """One word."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8)] = ()
    """By type."""
    runs: RunCounts = RunCounts()
    """Counts."""
    progress: str = ""
    """Finished share of all runs, `43%`."""
    runs_per_minute: float | None = None
    """Throughput since rendering began or was resumed."""
    eta: Time | None = None
    """When rendering ends at this pace."""
    start_time: Time | None = None
    """When the current plan was accepted."""
    completion_time: Time | None = None
    """Time at which the sweep completed or failed."""
    progress_time: Time | None = None
    """When counts were last written."""
    plan: str = ""
    """Hash of the plan."""
    recipe_digest: str = ""
    """sha256 of the recipe that was planned, with its fragments, as written."""
    engine_version: int = 0
    """ENGINE_VERSION of the plan."""
    image: str = ""
    """Renderer image as the nodes resolved it."""
    devices: Annotated[tuple[ClaimedName, ...], Field(max_length=MAX_DEVICES)] = ()
    """Kinds of GPUs that have rendered it, with compute capability and backend: `NVIDIA H200 (sm_90), CUDA`."""
    attempt: AttemptStatus | None = None
    """The attempt under way."""
    waiting_since: Time | None = None
    """Time since which the sweep waits for the cause that `Ready` names; the interval between tries doubles."""
    failures: Annotated[tuple[RunFailure, ...], Field(max_length=20)] = ()
    """The first failed runs."""
    failure_reasons: Annotated[tuple[FailureCount, ...], Field(max_length=32)] = ()
    """All failed runs by reason."""
    usage: ResourceUsage = ResourceUsage()
    """Resources that the attempt has used."""
    spent: Spending = Spending()
    """What all attempts have spent; the budget is compared with it."""
    spent_until: Time | None = None
    """Time until which it is counted."""
    forecast: Forecast | None = None
    """What the sweep will have spent at its end; null before two batches have ended and after completion."""
    dataset: str = ""
    """URI of the committed dataset.json."""

    @property
    def attempt_hash(self) -> str:
        """Hash of the attempt, which its Jobs are labelled with; empty before the first one."""
        return self.attempt.hash if self.attempt else ""
