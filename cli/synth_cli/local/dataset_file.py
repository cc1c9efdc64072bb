"""Files of a SynthDataset: the manifest that a cluster takes, read on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from synth_api.composition.yaml_file import load_yaml
from synth_api.errors import InputError, suggest_name
from synth_api.problems import quote_value
from synth_api.resources.base import API_VERSION, explain_part_error, list_keys
from synth_api.resources.synth_dataset import KIND, DatasetSpec
from synth_cli.manifests.custom_resources import to_resource_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

LOCAL_NAMESPACE: Final = "local"
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class DatasetFile:
    """A SynthDataset as a file says it."""

    namespace: str
    name: str
    spec: DatasetSpec


def read_dataset_file(path: Path) -> DatasetFile:
    """Read the manifest of a SynthDataset; without a namespace it is that of a laptop. Raises InputError."""
    if not path.is_file():
        raise InputError(str(path), "is no file; give the YAML file of a SynthDataset")
    tree = load_yaml(path)
    if not isinstance(tree, dict):
        raise InputError(str(path), f"holds {quote_value(tree)}; give the YAML file of a SynthDataset")
    for key, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if tree.get(key) != expected:
            raise InputError(key, f"is {quote_value(tree.get(key))} in {path}; it must be {expected}")
    metadata = _take_mapping(tree, "metadata")
    name = _check_name(metadata.get("name"), "metadata.name")
    namespace = _check_name(metadata.get("namespace", LOCAL_NAMESPACE), "metadata.namespace")
    return DatasetFile(namespace, name, _parse_spec(_take_mapping(tree, "spec")))


def _take_mapping(tree: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = tree.get(key)
    if not isinstance(value, dict):
        raise InputError(key, f"must be a mapping, not {quote_value(value)}")
    return value


def _check_name(name: Any, key: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(key, f"must be lower-case letters, digits and '-' inside, at most 63, not {quote_value(name)}")
    return name


def _parse_spec(spec: dict[str, Any]) -> DatasetSpec:
    try:
        return DatasetSpec.model_validate(spec)
    except ValidationError as error:
        problem = explain_part_error(error, _describe_unknown_key)
        details = error.errors(include_url=False)[0]
        if details["type"] == "string_pattern_mismatch" and details["loc"][-2:] == ("sweepRef", "name"):
            problem = InputError(problem.path, _describe_sweep_name(details["input"]))
        raise InputError(f"spec.{problem.path}".rstrip("."), problem.problem) from None


def _describe_sweep_name(name: str) -> str:
    what = f"{quote_value(name)} cannot be the name of a SynthSweep: use lower-case letters, digits and '-'"
    return f"{what}; {to_resource_name(name)} names a dataset '{name}' of this machine too" if "_" in name else what


def _describe_unknown_key(details: ErrorDetails) -> str:
    key = str(details["loc"][-1])
    return f"there is no key '{key}' here; {suggest_name(key, list_keys(DatasetSpec, details['loc'][:-1]))}"
