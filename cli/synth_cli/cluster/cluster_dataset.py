"""A SynthDataset as read from the API server; on the command line it is `dataset/NAME`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import ValidationError

from synth_api.jobs.names import DATASET_LABEL
from synth_api.resources.synth_dataset import KIND, DatasetPhase, DatasetSpec, DatasetStatus
from synth_cli.cluster.cluster_object import ClusterObject, explain_other_version, read_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "dataset/"


@dataclass(frozen=True)
class ClusterDataset(ClusterObject):
    """Name, spec and status of a dataset on a cluster."""

    kind: ClassVar[str] = KIND
    what: ClassVar[str] = "dataset"
    resource: ClassVar[str] = "synthdatasets"
    label: ClassVar[str] = DATASET_LABEL
    spec: DatasetSpec
    status: DatasetStatus

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ClusterDataset:
        """Parse an object of the API server. Raises InputError for an object of another version."""
        try:
            spec = DatasetSpec.model_validate(document["spec"])
            status = DatasetStatus.model_validate(document.get("status") or {})
        except ValidationError as error:
            raise explain_other_version(document, error) from None
        return cls(*read_metadata(document), spec, status)

    @property
    def word(self) -> str:
        """What names it on the command line."""
        return f"{PREFIX}{self.name}"

    @property
    def is_finished(self) -> bool:
        """True if the version of the spec is published, or needs an edit."""
        return self.is_current and self.status.phase in (DatasetPhase.PUBLISHED, DatasetPhase.FAILED)

    @property
    def has_succeeded(self) -> bool:
        """True if the version of the spec is published."""
        return self.status.phase is DatasetPhase.PUBLISHED
