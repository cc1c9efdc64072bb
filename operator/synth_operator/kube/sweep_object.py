"""A SynthSweep as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
from synth_operator.kube.api import Resource
from synth_operator.kube.custom_resource import CustomResource, read_fields
from synth_operator.kube.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_NOT_YET: Final = "9999-12-31T00:00:00Z"
"""Creation time of a sweep that the API server has not accepted yet."""


@dataclass(frozen=True, kw_only=True)
class SweepObject(CustomResource):
    """A SynthSweep with its spec and status."""

    resource: ClassVar[Resource] = Resource.SWEEPS
    created: datetime
    spec: SweepSpec
    status: SweepStatus

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the sweep in the API's JSON; after a status that cannot be read the next plan finds existing runs."""
        return cls(
            created=parse_timestamp(body["metadata"].get("creationTimestamp", _NOT_YET)),
            **read_fields(body, SweepSpec(), SweepStatus),
        )
