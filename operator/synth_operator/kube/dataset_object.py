"""A SynthDataset as read from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from synth_api.resources.synth_dataset import DatasetSpec, DatasetStatus
from synth_operator.kube.api import Resource
from synth_operator.kube.custom_resource import CustomResource, read_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNREADABLE: Final = DatasetSpec.model_validate(
    {"version": "unreadable", "sources": [{"sweepRef": {"name": "unreadable"}}], "exports": [{"format": "coco"}]}
)
"""Spec of an object whose own one has a problem, so that nothing is built from it; it has its own deletion policy."""


@dataclass(frozen=True, kw_only=True)
class DatasetObject(CustomResource):
    """A SynthDataset with its spec and status."""

    resource: ClassVar[Resource] = Resource.DATASETS
    spec: DatasetSpec
    status: DatasetStatus

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return the dataset in the API's JSON; a status that cannot be read counts as empty."""
        return cls(**read_fields(body, _UNREADABLE, DatasetStatus))
