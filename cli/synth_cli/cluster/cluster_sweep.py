"""A SynthSweep as this command reads it."""

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
    """A sweep's spec and status."""

    namespace: str
    name: str
    generation: int
    created: datetime
    spec: SweepSpec
    status: SweepStatus

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ClusterSweep:
        """Read the API's object. Raises InputError for one that another version has written."""
        metadata = document["metadata"]
        try:
            spec = _read_spec(document["spec"])
            status = SweepStatus.model_validate(document.get("status") or {})
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            problem = f"cannot be read ({where}); this synth and the cluster's CRDs are of different versions"
            raise InputError(metadata["name"], problem) from None
        created = datetime.fromisoformat(metadata["creationTimestamp"])
        return cls(metadata["namespace"], metadata["name"], metadata["generation"], created, spec, status)

    @property
    def is_current(self) -> bool:
        """Whether the operator has seen the latest edit."""
        return self.status.observed_generation >= self.generation

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.is_current and self.status.phase in (Phase.COMPLETE, Phase.FAILED)

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of a type, if it is there."""
        return next((condition for condition in self.status.conditions if condition.type is kind), None)


def _read_spec(tree: Mapping[str, Any]) -> SweepSpec:
    """The spec; without its output where that has a value that an earlier release took, of which the status speaks."""
    try:
        return SweepSpec.model_validate(tree)
    except ValidationError as error:
        if any(details["loc"][0] != "output" or details["type"] != "value_error" for details in error.errors()):
            raise
        return SweepSpec.model_validate({key: value for key, value in tree.items() if key != "output"})
