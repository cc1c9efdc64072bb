"""What is observed of the cluster, as frozen values made from the API's JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from synth_api.jobs.messages import JobKind, Message, read_message
from synth_api.jobs.names import (
    ATTEMPT_LABEL,
    HASH_ANNOTATION,
    INPUTS_ANNOTATION,
    JOB_LABEL,
    OWNER_ANNOTATION,
    SHARD_LABEL,
    SWEEP_LABEL,
)
from synth_api.problems import input_error
from synth_api.resources.synth_recipe import RecipeSpec, RecipeStatus
from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
from synth_operator.kube.completion_indexes import NO_INDEXES, Indexes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.jobs.messages import Problem
    from synth_operator.validation import Checked

_JOB_NAME = "batch.kubernetes.io/job-name"
_INDEX = "batch.kubernetes.io/job-completion-index"


@dataclass(frozen=True)
class SweepObject:
    """A SynthSweep; `problem` says in one sentence why its spec cannot be read, which the CRD should prevent."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    spec: SweepSpec
    status: SweepStatus
    problem: str = ""
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From its JSON. A status that this version cannot read counts as none: what exists is found again."""
        metadata = body["metadata"]
        spec, problem = SweepSpec(), ""
        try:
            spec = SweepSpec.model_validate(body.get("spec", {}))
        except ValidationError as error:
            problem = str(input_error(error))
        try:
            status = SweepStatus.model_validate(body.get("status") or {})
        except ValidationError:
            status = SweepStatus()
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            spec=spec,
            status=status,
            problem=problem,
            deleting="deletionTimestamp" in metadata,
            finalizers=tuple(metadata.get("finalizers", ())),
            annotations=dict(metadata.get("annotations", {})),
        )


@dataclass(frozen=True)
class RecipeObject:
    """A SynthRecipe; `problem` says in one sentence why its spec cannot be read."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    spec: RecipeSpec
    status: RecipeStatus
    problem: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From its JSON."""
        metadata = body["metadata"]
        spec, problem = RecipeSpec(recipe={}), ""
        try:
            spec = RecipeSpec.model_validate(body.get("spec", {}))
        except ValidationError as error:
            problem = str(input_error(error))
        try:
            status = RecipeStatus.model_validate(body.get("status") or {})
        except ValidationError:
            status = RecipeStatus()
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            spec=spec,
            status=status,
            problem=problem,
        )


@dataclass(frozen=True)
class Finish:
    """How a Job ended."""

    succeeded: bool
    reason: str
    message: str
    at: datetime


@dataclass(frozen=True)
class JobObject:
    """One of our Jobs. `owner` is the uid of the sweep it was made for, `attempt` the label's start of the hash."""

    name: str
    uid: str
    owner: str
    sweep: str
    kind: JobKind
    attempt: str
    shard: int
    hash: str
    inputs: str
    created: datetime
    deleting: bool = False
    suspend: bool = False
    parallelism: int = 1
    completions: int = 1
    active: int = 0
    ready: int = 0
    completed: Indexes = NO_INDEXES
    failed: Indexes = NO_INDEXES
    finish: Finish | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From its JSON."""
        metadata, spec, status = body["metadata"], body.get("spec", {}), body.get("status") or {}
        labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
        return cls(
            name=metadata["name"],
            uid=metadata["uid"],
            owner=annotations.get(OWNER_ANNOTATION, ""),
            sweep=labels.get(SWEEP_LABEL, ""),
            kind=JobKind(labels[JOB_LABEL]),
            attempt=labels.get(ATTEMPT_LABEL, ""),
            shard=int(labels.get(SHARD_LABEL, 0)),
            hash=annotations.get(HASH_ANNOTATION, ""),
            inputs=annotations.get(INPUTS_ANNOTATION, ""),
            created=moment(metadata["creationTimestamp"]),
            deleting="deletionTimestamp" in metadata,
            suspend=spec.get("suspend", False),
            parallelism=spec.get("parallelism", 1),
            completions=spec.get("completions", 1),
            active=status.get("active", 0),
            ready=status.get("ready", 0),
            completed=Indexes.of(status.get("completedIndexes", "")),
            failed=Indexes.of(status.get("failedIndexes", "")),
            finish=_finish(status.get("conditions") or ()),
        )


@dataclass(frozen=True)
class PodObject:
    """A pod of one of our Jobs."""

    name: str
    job: str
    kind: str
    index: int
    phase: str
    created: datetime
    deleted: datetime | None = None
    """Moment by which it is to be gone."""
    exit_code: int | None = None
    exit_reason: str = ""
    """`OOMKilled`, for instance."""
    message: Message | None = None
    ended: datetime | None = None
    waiting: str = ""
    """Why its container does not start: `ErrImagePull`, `CreateContainerConfigError`."""
    waiting_message: str = ""
    unschedulable: str = ""
    """The scheduler's sentence."""
    image: str = ""
    """The image as the node resolved it."""
    disrupted: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.phase in ("Succeeded", "Failed")

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From its JSON."""
        metadata, status = body["metadata"], body.get("status") or {}
        labels, annotations = metadata.get("labels", {}), metadata.get("annotations", {})
        container: Mapping[str, Any] = next(iter(status.get("containerStatuses") or ()), {})
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated") or {}, state.get("waiting") or {}
        conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
        return cls(
            name=metadata["name"],
            job=labels.get(_JOB_NAME, ""),
            kind=labels.get(JOB_LABEL, ""),
            index=int(annotations.get(_INDEX, labels.get(_INDEX, 0))),
            phase=status.get("phase", "Pending"),
            created=moment(metadata["creationTimestamp"]),
            deleted=moment(metadata["deletionTimestamp"]) if "deletionTimestamp" in metadata else None,
            exit_code=terminated.get("exitCode"),
            exit_reason=terminated.get("reason", ""),
            message=read_message(terminated["message"]) if terminated.get("message") else None,
            ended=moment(terminated["finishedAt"]) if terminated.get("finishedAt") else None,
            waiting=waiting.get("reason", ""),
            waiting_message=waiting.get("message", ""),
            unschedulable=_unschedulable(conditions.get("PodScheduled", {})),
            image=container.get("imageID", ""),
            disrupted=conditions.get("DisruptionTarget", {}).get("status") == "True",
        )


@dataclass(frozen=True)
class JobWarning:
    """A Warning Event on one of our Jobs: its pods cannot be made."""

    job: str
    reason: str
    message: str
    at: datetime

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From an Event's JSON."""
        at = (
            (body.get("series") or {}).get("lastObservedTime")
            or body.get("lastTimestamp")
            or body.get("eventTime")
            or body["metadata"]["creationTimestamp"]
        )
        return cls(
            job=body["involvedObject"]["name"],
            reason=body.get("reason", ""),
            message=body.get("message", ""),
            at=moment(at),
        )


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


def moment(text: str) -> datetime:
    """RFC 3339 as the API writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _finish(conditions: Any) -> Finish | None:
    for condition in conditions:
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return Finish(
                succeeded=condition["type"] == "Complete",
                reason=condition.get("reason", ""),
                message=condition.get("message", ""),
                at=moment(condition["lastTransitionTime"]),
            )
    return None


def _unschedulable(condition: Mapping[str, Any]) -> str:
    if condition.get("status") == "False" and condition.get("reason") == "Unschedulable":
        return str(condition.get("message", ""))
    return ""
