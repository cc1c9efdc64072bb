"""Names, labels and annotations of the objects that the operator creates."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from synth_api.canonical_json import canonical_json
from synth_api.jobs.messages import JobKind
from synth_api.resources.base import GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

SWEEP_LABEL: Final = f"{GROUP}/sweep"
DATASET_LABEL: Final = f"{GROUP}/dataset"
JOB_LABEL: Final = f"{GROUP}/job"
ATTEMPT_LABEL: Final = f"{GROUP}/attempt"
SHARD_LABEL: Final = f"{GROUP}/shard"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "synth-operator"
HASH_ANNOTATION: Final = f"{GROUP}/template-hash"
"""Hash of the whole spec of the Job as created."""
INPUTS_ANNOTATION: Final = f"{GROUP}/inputs-hash"
"""Hash of the attempt and of the sweep's settings for the Job: names the Job and shows when to replace it."""
OWNER_ANNOTATION: Final = f"{GROUP}/sweep-uid"
"""uid of the sweep or dataset that a Job belongs to."""
INPUT_ANNOTATION: Final = f"{GROUP}/input"
"""Input of a delete Job's pod: its ConfigMap may be garbage-collected with its owner."""
FORCE_DELETE_ANNOTATION: Final = f"{GROUP}/force-delete"
FINALIZER: Final = f"{GROUP}/delete-outputs"

_LETTERS: Final = {
    JobKind.PLAN: "p",
    JobKind.RENDER: "r",
    JobKind.FINALIZE: "f",
    JobKind.EXPORT: "e",
    JobKind.PUBLISH: "u",
    JobKind.DELETE: "d",
}


def hash_template(attempt: str, template: Mapping[str, Any]) -> str:
    """Return the sha256 of an attempt and a Job's template, 64 hexadecimal digits."""
    return sha256(canonical_json([attempt, template])).hexdigest()


def build_attempt_label(attempt: str) -> str:
    """Return an attempt's label value: 16 hexadecimal digits, as a label value has at most 63 characters."""
    return attempt[:16]


def build_job_name(owner: str, digest: str, kind: JobKind, shard: int = 0) -> str:
    """Return `<owner>-<8 hex>-<p|r0…|f|e|u|d>`, at most 40 + 14 characters."""
    number = str(shard) if kind is JobKind.RENDER else ""
    return f"{owner}-{digest[:8]}-{_LETTERS[kind]}{number}"


def build_input_name(owner: str, attempt: str) -> str:
    """Return the name of the ConfigMap with the input of an attempt or build."""
    return f"{owner}-{attempt[:8]}"
