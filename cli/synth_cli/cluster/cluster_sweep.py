"""A SynthSweep as read from the API server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError

from synth_api.jobs.names import SWEEP_LABEL
from synth_api.resources.synth_sweep import KIND, Phase, SweepSpec, SweepStatus
from synth_cli.cluster.cluster_object import ClusterObject, explain_other_version, read_metadata

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ClusterSweep(ClusterObject):
    """Name, spec and status of a sweep on a cluster."""

    kind: ClassVar[str] = KIND
    what: ClassVar[str] = "sweep"
    resource: ClassVar[str] = "synthsweeps"
    label: ClassVar[str] = SWEEP_LABEL
    spec: SweepSpec
    status: SweepStatus

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ClusterSweep:
        """Parse an object of the API server. Raises InputError for an object of another version."""
        try:
            spec = _parse_spec(document["spec"])
            status = SweepStatus.model_validate(document.get("status") or {})
        except ValidationError as error:
            raise explain_other_version(document, error) from None
        return cls(*read_metadata(document), spec, status)

    @property
    def is_finished(self) -> bool:
        """True if the sweep is Complete or Failed and has no newer edit."""
        return self.is_current and self.status.phase in (Phase.COMPLETE, Phase.FAILED)

    @property
    def has_succeeded(self) -> bool:
        """True if the sweep is Complete."""
        return self.status.phase is Phase.COMPLETE


def _parse_spec(tree: Mapping[str, Any]) -> SweepSpec:
    """Parse a spec; leave out an output that only an earlier release accepted, which the status reports."""
    try:
        return SweepSpec.model_validate(tree)
    except ValidationError as error:
        if any(details["loc"][0] != "output" or details["type"] != "value_error" for details in error.errors()):
            raise
        return SweepSpec.model_validate({key: value for key, value in tree.items() if key != "output"})
