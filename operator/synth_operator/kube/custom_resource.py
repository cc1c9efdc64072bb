"""Reading spec and status of our custom resources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from synth_api.depth import check_depth
from synth_api.errors import InputError
from synth_api.problems import convert_validation_error

if TYPE_CHECKING:
    from collections.abc import Mapping

Model = TypeVar("Model", bound=BaseModel)

MAX_SPEC_BYTES: Final = 512 * 1024
"""Of a spec as JSON; the API server takes three times as much."""


def read_spec(body: Mapping[str, Any], fallback: Model) -> tuple[Model, str]:
    """Return the spec in the API's JSON and no problem, or the fallback and what is wrong with the spec."""
    problem = find_size_problem(body)
    if problem:
        return fallback, problem
    try:
        return type(fallback).model_validate(body.get("spec", {})), ""
    except ValidationError as error:
        return fallback, str(convert_validation_error(error))


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
