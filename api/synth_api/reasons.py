"""Reasons of conditions and of failed runs: two closed sets of codes, each with what to do about it."""

from __future__ import annotations

from enum import StrEnum


class _Code(StrEnum):
    """A code with its remedy; the member is the code, so it compares and serialises as a string."""

    _value_: str
    remedy: str
    """One sentence on what to do, with Markdown backticks around code."""
    retry_helps: bool | None
    """True if the same spec or recipe can succeed in another try; False if it cannot; None if nothing failed."""

    def __new__(cls, code: str, remedy: str, retry_helps: bool | None = None) -> _Code:
        """Return the member of a code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.remedy = remedy
        member.retry_helps = retry_helps
        return member


class Reason(_Code):
    """Reason of a condition, of a store that cannot be used and of a pod that could not go on.

    `retry_helps` is True where the operator tries again by itself, or another `retryToken` makes it try.
    """

    ACCEPTED = "Accepted", "No action needed: the resource is valid."
    PLANNING = "Planning", "No action needed."
    PLANNED = "Planned", "No action needed."
    RENDERING = "Rendering", "No action needed."
    FINALIZING = "Finalizing", "No action needed."
    DELETING = "Deleting", "No action needed; if it lasts, `synth logs NAME` shows why the delete Job does not end."
    EXPORTING = "Exporting", "No action needed."
    PUBLISHING = "Publishing", "No action needed."
    PUBLISHED = "Published", "No action needed."
    SUSPENDED = "Suspended", "Set `suspend: false` to resume."
    RESUMED = "Resumed", "No action needed."
    COMPLETE = "Complete", "No action needed."
    TOO_MANY_FAILED_RUNS = (
        "TooManyFailedRuns",
        "Run `synth failures NAME`; then repair the recipe, raise `maxFailedRuns` or set another `retryToken`.",
        True,
    )
    DEADLINE_EXCEEDED = (
        "DeadlineExceeded",
        "Raise `activeDeadlineSeconds` or `parallelism`, then set another `retryToken`.",
        True,
    )
    BUDGET_SPENT = (
        "BudgetSpent",
        "Raise `budget` to go on; existing runs are kept and not rendered again.",
        False,
    )
    PLAN_STALE = (
        "PlanStale",
        "No action needed: runs disappeared from the store and another attempt starts, at most twice; if the sweep "
        "fails with it, find out who deletes runs.",
        True,
    )
    RECIPE_DRIFTED = (
        "RecipeDrifted",
        "The recipe changed after the sweep ended; set another `retryToken` to run the sweep with the new recipe.",
        True,
    )
    SUPERSEDED = "Superseded", "No action needed: the spec or its recipe changed and a new plan is made."
    RECIPE_NOT_FOUND = (
        "RecipeNotFound",
        "Create the SynthRecipe that `recipeRef` names, in the namespace of the sweep.",
        True,
    )
    RECIPE_INVALID = "RecipeInvalid", "Run `kubectl describe sr RECIPE` and repair what the message names.", False
    SWEEP_INVALID = "SweepInvalid", "Repair the override, axis or exclusion that the message names.", False
    DATASET_INVALID = (
        "DatasetInvalid",
        "Repair the source, split or export of the SynthDataset that the message names.",
        False,
    )
    SOURCE_NOT_FOUND = (
        "SourceNotFound",
        "Create the SynthSweep that the message names, in the namespace of the SynthDataset.",
        True,
    )
    SOURCE_NOT_COMPLETE = (
        "SourceNotComplete",
        "No action needed while the sweep renders; if it has failed, do what its own reason says.",
        True,
    )
    VERSION_PUBLISHED = (
        "VersionPublished",
        "Set another `spec.version`, or take the change back: a published version stays as it is.",
        False,
    )
    POD_TEMPLATE_INVALID = "PodTemplateInvalid", "Repair `podTemplate` as the message says.", False
    NOT_ALLOWED = (
        "NotAllowed",
        "Change the field that the message names to a value that is allowed, or the `sweeps` values of the chart.",
        False,
    )
    OUTPUT_MISSING = "OutputMissing", "Set `spec.output`, or `sweeps.output` in the chart.", False
    SECRET_NOT_FOUND = (
        "SecretNotFound",
        "Create the Secret, or the key in it, that the message names; the pod then starts by itself.",
        True,
    )
    STORE_UNREACHABLE = (
        "StoreUnreachable",
        "Check that the store runs; then `endpoint`, `insecure`, DNS, proxies and network policies.",
        True,
    )
    ACCESS_DENIED = (
        "AccessDenied",
        "Check the two keys of the Secret, which must not end with a line feed (use `--from-literal` or `echo -n`), "
        "and that their user may list, read, write and delete in the bucket.",
        True,
    )
    BUCKET_NOT_FOUND = "BucketNotFound", "Create the bucket, or correct `spec.output` in a new sweep.", True
    CERTIFICATE_INVALID = (
        "CertificateInvalid",
        "Name in `caSecretRef` the authority that signed the store's certificate, and in `endpoint` the host that the "
        "certificate names.",
        True,
    )
    STORE_FULL = "StoreFull", "Free space or raise the quota; `synth gc` removes runs that no sweep uses.", True
    STORE_DAMAGED = (
        "StoreDamaged",
        "Restore or remove the file that the message names: it cannot be read or is not what was written.",
        True,
    )
    DEVICE_UNAVAILABLE = (
        "DeviceUnavailable",
        "Check the GPU, the drivers of the node and `runtimeClassName`, or render with `device: cpu`.",
        True,
    )
    IMAGE_UNAVAILABLE = "ImageUnavailable", "Check the image's name, its registry and `imagePullSecrets`.", True
    UNSCHEDULABLE = (
        "Unschedulable",
        "Check `gpu`, `resources`, node selectors and taints; the pod starts by itself once a node fits.",
        True,
    )
    QUOTA_EXCEEDED = (
        "QuotaExceeded",
        "Raise the quota of the namespace, or lower `parallelism` or `resources`.",
        True,
    )
    POD_REFUSED = "PodRefused", "Satisfy the admission rule that the message quotes, or change that rule.", True
    NAME_TAKEN = (
        "NameTaken",
        "Delete or rename the Job or ConfigMap of that name, which belongs to something else.",
        True,
    )
    LIMITED = (
        "Limited",
        "No action needed: sweeps and datasets go on in order of age, and `synth limits` shows the use; if the message "
        "names the runs or GPUs of the sweep, ask for fewer.",
    )
    QUEUED = "Queued", "No action needed: Kueue has not admitted the Job yet."
    ENGINE_MISMATCH = (
        "EngineMismatch",
        "Use operator and renderer images of one release: their `ENGINE_VERSION`s differ.",
        False,
    )
    PLAN_UNREADABLE = (
        "PlanUnreadable",
        "Set another `retryToken`: the documents of the attempt disappeared from the store.",
        True,
    )
    INTERNAL_ERROR = (
        "InternalError",
        "No action needed at first, the operator tries again; if it lasts, report the traceback in its log as a bug.",
        True,
    )
    WORKER_FAILED = "WorkerFailed", "Run `synth logs NAME`: a pod ended unexpectedly.", True


class FailureReason(_Code):
    """Reason of a failed run, in `status.failures`, `dataset.json` and the output of the command.

    A run is made of its recipe alone, so `retry_helps` is False where the recipe is the cause.
    """

    WORKER_DIED = (
        "WorkerDied",
        "Give the worker more memory, or render fewer or smaller bodies; the log names the signal that ended it.",
        True,
    )
    OUT_OF_MEMORY = "OutOfMemory", "Give the worker more memory, or render fewer or smaller bodies.", True
    OUT_OF_GPU_MEMORY = (
        "OutOfGpuMemory",
        "Use GPUs with more memory, fewer workers or pods on each, or render fewer or smaller bodies.",
        True,
    )
    OUT_OF_SPACE = "OutOfSpace", "Free space in the store or the temporary folder, or raise the quota.", True
    FILE_ERROR = "FileError", "Check that the file that the message names exists and can be read or written.", True
    DOCUMENT_FAILED = "DocumentFailed", "Restore or remove the file of the store that the message names.", True
    ENGINE_FAILED = (
        "EngineFailed",
        "See the log for the traceback; try again, and report the error as a bug if it repeats.",
        True,
    )
    BATCH_FAILED = (
        "BatchFailed",
        "Kubernetes gave up on the batch before its runs ended: see the pods' events, then set another `retryToken`.",
        True,
    )
    INPUT_FAILED = "InputFailed", "Correct the value of the recipe that the message names.", False
    RUN_FAILED = "RunFailed", "Correct the steps of the recipe as the message says.", False
    GATE_FAILED = (
        "GateFailed",
        "Change the recipe so that the picture passes the quality gate that the message names; `docs/quality-gates.md` "
        "explains each gate.",
        False,
    )
    PHYSICS_FAILED = "PhysicsFailed", "Change the sizes, number or volume of the bodies as the message says.", False
    SHAPE_FAILED = "ShapeFailed", "Change the shape of the body or its bending as the message says.", False
    DRAW_FAILED = "DrawFailed", "Change the distribution or its bounds as the message says.", False


def find_failure_reason(code: str) -> FailureReason | None:
    """Return the failure reason of a code; None for a code that this release does not know."""
    return next((reason for reason in FailureReason if reason == code), None)
