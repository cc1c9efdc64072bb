"""A SynthSweep as read from the API server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from synth_api.errors import InputError
from synth_api.resources.conditions import Condition, ConditionType
from synth_api.resources.synth_sweep import Phase, SweepSpec, SweepStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ClusterSweep:
    """Name, spec and status of a sweep on a cluster."""

    namespace: str
    name: str
    generation: int
    created: datetime
    spec: SweepSpec
    status: SweepStatus

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ClusterSweep:
        """Parse an object of the API server. Raises InputError for an object of another version."""
        metadata = document["metadata"]
        try:
            spec = _parse_spec(document["spec"])
            status = SweepStatus.model_validate(document.get("status") or {})
        except ValidationError as error:
            field = ".".join(map(str, error.errors()[0]["loc"]))
            problem = f"cannot be read ({field}); this synth and the cluster's CRDs are of different versions"
            raise InputError(metadata["name"], problem) from None
        created = datetime.fromisoformat(metadata["creationTimestamp"])
        return cls(metadata["namespace"], metadata["name"], metadata["generation"], created, spec, status)

    @property
    def is_current(self) -> bool:
        """True if the operator has observed the latest edit."""
        return self.status.observed_generation >= self.generation

    @property
    def is_finished(self) -> bool:
        """True if the sweep is Complete or Failed and has no newer edit."""
        return self.is_current and self.status.phase in (Phase.COMPLETE, Phase.FAILED)

    def find_condition(self, kind: ConditionType) -> Condition | None:
        """Return the condition of a type; None if there is none."""
        return next((condition for condition in self.status.conditions if condition.type is kind), None)


def _parse_spec(tree: Mapping[str, Any]) -> SweepSpec:
    """Parse a spec; leave out an output that only an earlier release accepted, which the status reports."""
    try:
        return SweepSpec.model_validate(tree)
    except ValidationError as error:
        if any(details["loc"][0] != "output" or details["type"] != "value_error" for details in error.errors()):
            raise
        return SweepSpec.model_validate({key: value for key, value in tree.items() if key != "output"})
