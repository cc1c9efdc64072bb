"""What `decide` asks for. The actions of one pass are done in order; the first one that fails ends the pass.

Rules for whoever does them:

- Before the first action that makes or changes a Job or ConfigMap, unless WriteStatus was done in this pass, the sweep
  is read: when its resourceVersion is not the observed one, the pass ends and begins anew from what is then seen.
- Before CreateJob, the Jobs of the sweep are listed at the server; one that was not observed ends the pass. So a slow
  watch never leads to two Jobs for one shard.
- CreateJob and CreateInput: a 409 is fine when what is there has our owner and hash and is not being deleted. Any other
  409, and every 403 and 422, becomes a `Refusal` that later passes observe, and a new try is made when they ask for it.
- DeleteJob, DeleteInput: gone already is fine.
- EmitEvent: a 409 is fine, its name is a hash of what it tells; any other failure is ignored.
- WriteStatus: a 409 ends the pass, which begins anew from what is then seen.
- RequeueAfter: another pass is due after that time even when nothing happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synth_api.resources.synth_sweep import SweepStatus


@dataclass(frozen=True)
class WriteStatus:
    """Replace the status, provided that the sweep's resourceVersion is the observed one."""

    status: SweepStatus


@dataclass(frozen=True)
class SetFinalizers:
    """Replace `metadata.finalizers`, provided that the sweep's resourceVersion is the observed one."""

    finalizers: tuple[str, ...]


@dataclass(frozen=True)
class EmitEvent:
    """An Event about the sweep; `name` is the same whenever the same thing is told."""

    name: str
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class CreateInput:
    """Make a ConfigMap."""

    body: Mapping[str, Any]


@dataclass(frozen=True)
class DeleteInput:
    """Delete a ConfigMap of this sweep."""

    name: str


@dataclass(frozen=True)
class CreateJob:
    """Make a Job."""

    body: Mapping[str, Any]


@dataclass(frozen=True)
class PatchJob:
    """Change what may change while a Job runs; None leaves it as it is."""

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
    """Look again after this many seconds."""

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
