"""dataset.json in a ConfigMap: the input of the pods that export and publish a version of a SynthDataset."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, ValidationError

from synth_api.canonical_json import canonical_json
from synth_api.errors import InputError
from synth_api.problems import convert_validation_error
from synth_api.resources.base import Part
from synth_api.resources.output import Output
from synth_api.resources.synth_dataset import DatasetDefinition, SourceDataset
from synth_api.sentences import explain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DATASET_INPUT_FILE: Final = "dataset.json"
"""File in INPUT_FOLDER, for the pods of a SynthDataset in place of attempt.json; the delete Job reads either."""
_FOLDER: Final = "datasets"


class DatasetInput(Part):
    """Everything that a version depends on."""

    namespace: str
    """Namespace of the SynthDataset and its sweeps."""
    name: str
    """Name of the SynthDataset."""
    definition: DatasetDefinition
    """What the version is made from."""
    datasets: tuple[SourceDataset, ...]
    """The committed dataset of each source, in the order of `definition.sources`; none for a delete Job."""
    output: Output
    """Place of the version; the store and its credentials are those of the datasets."""
    endpoint_is_known: bool = False
    """True if the installation names the endpoint; only then do messages say how it answers."""
    parts: Annotated[int, Field(ge=1)]
    """Completions of the export Job: index k exports the chunks k, k + parts, …"""
    build: str
    """sha256 that identifies the build."""

    @classmethod
    def read(cls, path: Path) -> DatasetInput:
        """Read the input from a file. Raises InputError if it is missing or not of this release."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            problem = convert_validation_error(error) if isinstance(error, ValidationError) else explain(error)
            raise InputError(str(path), f"is not a dataset of this release: {problem}") from error


def hash_build(uid: str, definition: str, sources: Iterable[SourceDataset]) -> str:
    """Return the name of a build, 64 hexadecimal digits: that of another definition or other datasets is another."""
    attempts = [[source.name, source.plan, source.attempt] for source in sources]
    return sha256(canonical_json([uid, definition, attempts])).hexdigest()


def dataset_folder(namespace: str, name: str) -> str:
    """Return the folder of all versions of a SynthDataset in its store; its `dataset.json` names the newest one."""
    return f"{_FOLDER}/{namespace}/{name}"


def version_folder(namespace: str, name: str, version: str) -> str:
    """Return the folder of a version; its `dataset.json` is written last and never changed."""
    return f"{dataset_folder(namespace, name)}/{version}"
