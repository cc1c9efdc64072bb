"""attempt.json: the input of an attempt's pods, in a ConfigMap that the operator writes once."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, ValidationError

from synth_api.canonical_json import canonical_json
from synth_api.composition.source import read_recipe_objects
from synth_api.dataset_card import DatasetCard
from synth_api.errors import InputError
from synth_api.problems import convert_validation_error
from synth_api.resources.base import Part
from synth_api.resources.output import Output
from synth_api.resources.synth_sweep import AxisSpec, Packaging
from synth_api.sentences import explain
from synth_api.sweep.definition import Sweep

if TYPE_CHECKING:
    from pathlib import Path

INPUT_FILE: Final = "attempt.json"
INPUT_FOLDER: Final = "/etc/synth"
CA_FILE: Final = "/etc/synth-ca/ca.crt"
"""Mounted certificate authority of the store, if the output names one."""
SCRATCH_FOLDER: Final = "/scratch"
STARTED_FILE: Final = f"{SCRATCH_FOLDER}/started"
"""Exists once a render pod has loaded what its GPU needs."""


class AttemptInput(Part):
    """Everything that the runs of an attempt depend on; the pod template holds how they are rendered."""

    namespace: str
    """Namespace of the sweep."""
    name: str
    """Name of the sweep."""
    recipe_name: str
    """File stem of the recipe: the name of its resource."""
    recipe: dict[str, Any]
    """The recipe, as written."""
    fragments: dict[str, dict[str, Any]] = Field(default={})
    """Its fragments."""
    overrides: tuple[str, ...] = ()
    """As in the spec."""
    axes: tuple[AxisSpec, ...] = ()
    """As in the spec."""
    exclude: tuple[dict[str, Any], ...] = ()
    """As in the spec."""
    dataset: DatasetCard | None = None
    """As in the spec."""
    output: Output
    """Output of the dataset."""
    endpoint_is_known: bool = False
    """True if the installation names the endpoint; only then do messages say how it answers."""
    parallelism: Annotated[int, Field(ge=1)]
    """Parallelism at the start of the attempt; the batch size depends on it."""
    batch_size: int | None = None
    """As in the spec."""
    packaging: Packaging = Packaging.FILES
    """As in the spec at the start of the attempt."""
    engine_version: int
    """ENGINE_VERSION of the operator; a worker with another version ends with exit code 64."""
    plan: str
    """Hash of the plan."""
    attempt: str
    """Hash of the attempt."""

    @classmethod
    def read(cls, path: Path) -> AttemptInput:
        """Read the input from a file. Raises InputError if it is missing or not of this release."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            problem = convert_validation_error(error) if isinstance(error, ValidationError) else explain(error)
            raise InputError(str(path), f"is not an attempt of this release: {problem}") from error

    def build_sweep(self) -> Sweep:
        """Return the sweep it describes. Raises InputError."""
        source = read_recipe_objects(self.recipe_name, self.recipe, self.fragments)
        return Sweep.from_source(source, self.overrides, self.axes, self.exclude, self.dataset)


def hash_attempt(uid: str, plan: str, retry_token: str, count: int) -> str:
    """Return the name of an attempt, 64 hexadecimal digits (docs/contracts.md, section 5)."""
    return sha256(canonical_json([uid, plan, retry_token, count])).hexdigest()
