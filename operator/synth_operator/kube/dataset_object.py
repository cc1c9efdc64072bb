"""A SynthDataset as read from the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from synth_api.resources.synth_dataset import DatasetSpec, DatasetStatus
from synth_operator.kube.api import Resource
from synth_operator.kube.custom_resource import read_spec, read_status

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNREADABLE: Final = DatasetSpec.model_validate(
    {"version": "unreadable", "sources": [{"sweepRef": {"name": "unreadable"}}], "exports": [{"format": "coco"}]}
)
"""Spec of an object whose own one has a problem, so that nothing is built from it."""


@dataclass(frozen=True)
class DatasetObject:
    """A SynthDataset; `problem` is the error in a spec that cannot be read."""

    resource: ClassVar[Resource] = Resource.DATASETS
    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    spec: DatasetSpec
    status: DatasetStatus
    problem: str = ""
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the dataset in the API's JSON; a status that cannot be read counts as empty."""
        metadata = body["metadata"]
        spec, problem = read_spec(body, _UNREADABLE)
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            spec=spec,
            status=read_status(body, DatasetStatus),
            problem=problem,
            deleting="deletionTimestamp" in metadata,
            finalizers=tuple(metadata.get("finalizers", ())),
            annotations=dict(metadata.get("annotations", {})),
        )
