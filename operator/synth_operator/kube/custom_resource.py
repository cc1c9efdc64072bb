"""Reading spec and status of our custom resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from synth_api.depth import check_depth
from synth_api.errors import InputError
from synth_api.problems import convert_validation_error

if TYPE_CHECKING:
    from collections.abc import Mapping

Model = TypeVar("Model", bound=BaseModel)


def read_spec(body: Mapping[str, Any], fallback: Model) -> tuple[Model, str]:
    """Return the spec in the API's JSON and no problem, or the fallback and what is wrong with the spec."""
    problem = find_depth_problem(body)
    if problem:
        return fallback, problem
    try:
        return type(fallback).model_validate(body.get("spec", {})), ""
    except ValidationError as error:
        return fallback, str(convert_validation_error(error))


def find_depth_problem(body: Mapping[str, Any]) -> str:
    """Return what is wrong with a spec that is nested too deeply to be read or written, else an empty string."""
    try:
        check_depth(body.get("spec", {}))
    except InputError as error:
        return str(error)
    return ""


def read_status(body: Mapping[str, Any], model: type[Model]) -> Model:
    """Return the status in the API's JSON; one that this version cannot read counts as empty."""
    try:
        return model.model_validate(body.get("status") or {})
    except ValidationError:
        return model()
