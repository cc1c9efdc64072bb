"""A SynthSweep as read from the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from synth_api.resources.synth_sweep import SweepSpec, SweepStatus
from synth_operator.kube.api import Resource
from synth_operator.kube.custom_resource import read_spec, read_status
from synth_operator.kube.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_NOT_YET: Final = "9999-12-31T00:00:00Z"
"""Creation time of a sweep that the API server has not accepted yet."""


@dataclass(frozen=True)
class SweepObject:
    """A SynthSweep; `problem` is the error in a spec that cannot be read, which the CRD's schema should prevent."""

    resource: ClassVar[Resource] = Resource.SWEEPS
    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    created: datetime
    spec: SweepSpec
    status: SweepStatus
    problem: str = ""
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the sweep in the API's JSON; after a status that cannot be read the next plan finds existing runs."""
        metadata = body["metadata"]
        spec, problem = read_spec(body, SweepSpec())
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            created=parse_timestamp(metadata.get("creationTimestamp", _NOT_YET)),
            spec=spec,
            status=read_status(body, SweepStatus),
            problem=problem,
            deleting="deletionTimestamp" in metadata,
            finalizers=tuple(metadata.get("finalizers", ())),
            annotations=dict(metadata.get("annotations", {})),
        )
