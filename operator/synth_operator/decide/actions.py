"""Actions that `decide` returns. A pass applies them in order; the first one that fails ends the pass.

They are about one sweep or dataset, their owner. Rules for `apply`:

- Before the first action that creates or changes a Job or ConfigMap, unless WriteStatus was applied in this pass, the
  owner is read: if its resourceVersion is not the observed one, the pass ends and a new one observes again.
- Before CreateJob, the Jobs that the owner controls are listed at the server; one that was not observed ends the pass.
  So a slow watch never leads to two Jobs for one shard.
- CreateJob and CreateInput: a 409 counts as success if the owner controls the existing object, which has our hash and
  is not being deleted. Any other 409, and every 403 and 422, becomes a `Refusal` that later passes observe; `decide`
  asks for the next try.
- DeleteJob, DeleteInput: an object that does not exist counts as success.
- EmitEvent: a 409 counts as success, since the name is a hash of the content; any other failure is ignored.
- WriteStatus: a 409 ends the pass, and a new one observes again.
- RequeueAfter: another pass is due after that time even without an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.resources.synth_dataset import DatasetStatus
    from synth_api.resources.synth_sweep import SweepStatus
    from synth_operator.configuration import Lease


@dataclass(frozen=True)
class WriteStatus:
    """Replace the status if the owner's resourceVersion is the observed one."""

    status: SweepStatus | DatasetStatus


@dataclass(frozen=True)
class SetFinalizers:
    """Replace `metadata.finalizers` if the owner's resourceVersion is the observed one."""

    finalizers: tuple[str, ...]


@dataclass(frozen=True)
class EmitEvent:
    """Create an Event about the owner; the same change of status always has the same `name`."""

    name: str
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    lease: Lease | None = None
    """The operator's Lease, if the Event is about it and in its namespace: that of the owner is being deleted."""


@dataclass(frozen=True)
class CreateInput:
    """Create the ConfigMap with the input of an attempt or build."""

    body: Mapping[str, Any]


@dataclass(frozen=True)
class DeleteInput:
    """Delete a ConfigMap of this sweep."""

    name: str


@dataclass(frozen=True)
class CreateJob:
    """Create a Job from its manifest."""

    body: Mapping[str, Any]


@dataclass(frozen=True)
class PatchJob:
    """Patch the fields that are mutable while a Job runs; None leaves a field unchanged."""

    name: str
    uid: str
    parallelism: int | None = None
    suspend: bool | None = None


@dataclass(frozen=True)
class DeleteJob:
    """Delete a Job and, in the background, its pods."""

    name: str
    uid: str


@dataclass(frozen=True)
class RequeueAfter:
    """Reconcile the owner again after this many seconds."""

    seconds: float


Action = (
    WriteStatus
    | SetFinalizers
    | EmitEvent
    | CreateInput
    | DeleteInput
    | CreateJob
    | PatchJob
    | DeleteJob
    | RequeueAfter
)
