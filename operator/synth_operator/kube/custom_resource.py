"""What our custom resources have in common: their metadata, and how spec and status are read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from synth_api.depth import check_depth
from synth_api.errors import InputError
from synth_api.problems import convert_validation_error
from synth_operator.kube.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Model = TypeVar("Model", bound=BaseModel)

MAX_SPEC_BYTES: Final = 512 * 1024
"""Of a spec as JSON; the API server takes three times as much."""
_NOT_YET: Final = "9999-12-31T00:00:00Z"
"""Creation time of an object that the API server has not accepted yet."""
_FATE: Final = ("output", "deletionPolicy")
"""Fields of a spec that say what becomes of outputs, and where these are."""


@dataclass(frozen=True, kw_only=True)
class CustomResource:
    """Metadata of an object; `problem` is the error in a spec that cannot be read, which the schema should prevent."""

    namespace: str
    name: str
    uid: str
    created: datetime
    generation: int
    resource_version: str
    problem: str = ""
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


def read_fields(body: Mapping[str, Any], fallback: BaseModel, status: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a custom resource in the API's JSON.

    They have the fallback instead of a spec that cannot be read, with its output and deletion policy if these can be
    read, so that its outputs are deleted exactly if their owner says so; and an empty status instead of such a one.
    """
    metadata = body["metadata"]
    spec, problem = _read_spec(body, fallback)
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "created": parse_timestamp(metadata.get("creationTimestamp", _NOT_YET)),
        "generation": metadata.get("generation", 1),
        "resource_version": metadata["resourceVersion"],
        "spec": spec,
        "status": read_status(body, status),
        "problem": problem,
        "deleting": "deletionTimestamp" in metadata,
        "finalizers": tuple(metadata.get("finalizers", ())),
        "annotations": dict(metadata.get("annotations", {})),
    }


def _read_spec(body: Mapping[str, Any], fallback: Model) -> tuple[Model, str]:
    problem = find_size_problem(body)
    if problem:
        return _keep_fate(body, fallback), problem
    try:
        return type(fallback).model_validate(body.get("spec", {})), ""
    except ValidationError as error:
        return _keep_fate(body, fallback), str(convert_validation_error(error))


def _keep_fate(body: Mapping[str, Any], fallback: Model) -> Model:
    try:
        return type(fallback).model_validate(fallback.model_dump(by_alias=True) | select_fate(body))
    except ValidationError:
        return fallback


def select_fate(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return output and deletion policy of a spec that cannot be read as a whole; empty if they are unreadable too."""
    spec = body.get("spec")
    fate = {name: spec[name] for name in _FATE if name in spec} if isinstance(spec, dict) else {}
    return {} if find_size_problem({"spec": fate}) else fate


def find_size_problem(body: Mapping[str, Any]) -> str:
    """Return what is wrong with a spec that is too deep or too long to be read, else an empty string."""
    spec = body.get("spec", {})
    try:
        check_depth(spec)
    except InputError as error:
        return str(error)
    size = len(json.dumps(spec, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    problem = f"has {size:,} bytes as JSON, at most {MAX_SPEC_BYTES:,} are allowed; split or shorten it"
    return f"spec: {problem}" if size > MAX_SPEC_BYTES else ""


def read_status(body: Mapping[str, Any], model: type[Model]) -> Model:
    """Return the status in the API's JSON; one that this version cannot read counts as empty."""
    try:
        return model.model_validate(body.get("status") or {})
    except ValidationError:
        return model()
