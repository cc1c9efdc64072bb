"""A SynthSweep as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
from synth_operator.kube.api import Resource
from synth_operator.kube.custom_resource import CustomResource, read_fields

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class SweepObject(CustomResource):
    """A SynthSweep with its spec and status."""

    resource: ClassVar[Resource] = Resource.SWEEPS
    spec: SweepSpec
    status: SweepStatus

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the sweep in the API's JSON; after a status that cannot be read the next plan finds existing runs."""
        return cls(**read_fields(body, SweepSpec(), SweepStatus))
