"""What the sweeps and datasets of a cluster have in common: metadata, and a status with conditions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from synth_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

    from synth_api.resources.conditions import Condition, ConditionType
    from synth_api.resources.synth_dataset import DatasetSpec, DatasetStatus
    from synth_api.resources.synth_sweep import SweepSpec, SweepStatus


@dataclass(frozen=True)
class ClusterObject:
    """Name, spec and status of a sweep or dataset on a cluster."""

    kind: ClassVar[str]
    """Its kind in the API."""
    what: ClassVar[str]
    """Its kind in sentences."""
    resource: ClassVar[str]
    """Its kind in paths of the API server."""
    label: ClassVar[str]
    """Label with its name on the pods of its Jobs."""
    namespace: str
    name: str
    generation: int
    created: datetime
    spec: SweepSpec | DatasetSpec
    status: SweepStatus | DatasetStatus

    @property
    def word(self) -> str:
        """What names it on the command line."""
        return self.name

    @property
    def is_current(self) -> bool:
        """True if the operator has observed the latest edit."""
        return self.status.observed_generation >= self.generation

    @property
    def is_finished(self) -> bool:
        """True if nothing more happens without an edit."""
        raise NotImplementedError

    @property
    def has_succeeded(self) -> bool:
        """True if it has what its spec asks for."""
        raise NotImplementedError

    def find_condition(self, kind: ConditionType) -> Condition | None:
        """Return the condition of a type; None if there is none."""
        return next((condition for condition in self.status.conditions if condition.type is kind), None)


def read_metadata(document: Mapping[str, Any]) -> tuple[str, str, int, datetime]:
    """Return namespace, name, generation and creation time of an object of the API server."""
    metadata = document["metadata"]
    created = datetime.fromisoformat(metadata["creationTimestamp"])
    return metadata["namespace"], metadata["name"], metadata["generation"], created


def explain_other_version(document: Mapping[str, Any], error: ValidationError) -> InputError:
    """Return the error for an object of another version."""
    field = ".".join(map(str, error.errors()[0]["loc"]))
    problem = f"cannot be read ({field}); this synth and the cluster's CRDs are of different versions"
    return InputError(document["metadata"]["name"], problem)
