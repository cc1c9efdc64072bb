"""Conditions in the sense of Kubernetes, and the closed list of their reasons."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from synth_api.resources.base import Part, Time
from synth_api.sentences import Sentence


class ConditionType(StrEnum):
    """`Ready`, `Reconciling` and `Stalled` mean what kstatus says of them."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PLANNED = "Planned"
    PROGRESSING = "Progressing"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"


class Reason(StrEnum):
    """Every reason a condition can have; docs/kubernetes.md says what to do about each."""

    ACCEPTED = "Accepted"
    PLANNING = "Planning"
    PLANNED = "Planned"
    RENDERING = "Rendering"
    FINALIZING = "Finalizing"
    DELETING = "Deleting"
    SUSPENDED = "Suspended"
    RESUMED = "Resumed"
    COMPLETE = "Complete"
    TOO_MANY_FAILED_RUNS = "TooManyFailedRuns"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    PLAN_STALE = "PlanStale"
    RECIPE_DRIFTED = "RecipeDrifted"
    SUPERSEDED = "Superseded"
    RECIPE_NOT_FOUND = "RecipeNotFound"
    RECIPE_INVALID = "RecipeInvalid"
    SWEEP_INVALID = "SweepInvalid"
    POD_TEMPLATE_INVALID = "PodTemplateInvalid"
    NOT_ALLOWED = "NotAllowed"
    OUTPUT_MISSING = "OutputMissing"
    SECRET_NOT_FOUND = "SecretNotFound"
    STORE_UNREACHABLE = "StoreUnreachable"
    ACCESS_DENIED = "AccessDenied"
    BUCKET_NOT_FOUND = "BucketNotFound"
    CERTIFICATE_INVALID = "CertificateInvalid"
    STORE_FULL = "StoreFull"
    STORE_DAMAGED = "StoreDamaged"
    DEVICE_UNAVAILABLE = "DeviceUnavailable"
    IMAGE_UNAVAILABLE = "ImageUnavailable"
    UNSCHEDULABLE = "Unschedulable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    POD_REFUSED = "PodRefused"
    NAME_TAKEN = "NameTaken"
    QUEUED = "Queued"
    ENGINE_MISMATCH = "EngineMismatch"
    PLAN_UNREADABLE = "PlanUnreadable"
    WORKER_FAILED = "WorkerFailed"


class Condition(Part):
    """As `metav1.Condition`."""

    type: ConditionType
    """What it speaks of."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: Reason
    """One word why."""
    message: Sentence = ""
    """One sentence for people."""
    observed_generation: int = 0
    """Generation of the spec it was derived from."""
    last_transition_time: Time
    """When its status last changed."""


class Problem(Part):
    """Why something cannot go on."""

    reason: Reason
    """One of the closed list."""
    message: Sentence
    """One sentence, without a credential."""
