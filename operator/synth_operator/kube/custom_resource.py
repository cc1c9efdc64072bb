"""Reading spec and status of our custom resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from synth_api.problems import convert_validation_error

if TYPE_CHECKING:
    from collections.abc import Mapping

Model = TypeVar("Model", bound=BaseModel)
_MAX_DEPTH: Final = 100
"""Levels of a spec; the API server takes 10,000, at which everything that recurses fails."""


def read_spec(body: Mapping[str, Any], fallback: Model) -> tuple[Model, str]:
    """Return the spec in the API's JSON and no problem, or the fallback and what is wrong with the spec."""
    spec = body.get("spec", {})
    if _is_deep(spec):
        return fallback, f"spec: is nested deeper than {_MAX_DEPTH} levels"
    try:
        return type(fallback).model_validate(spec), ""
    except ValidationError as error:
        return fallback, str(convert_validation_error(error))


def _is_deep(spec: Any) -> bool:
    level: list[Any] = [[spec]]
    for _ in range(_MAX_DEPTH + 1):
        values = (value for node in level for value in (node.values() if isinstance(node, dict) else node))
        level = [value for value in values if isinstance(value, dict | list)]
        if not level:
            return False
    return True


def read_status(body: Mapping[str, Any], model: type[Model]) -> Model:
    """Return the status in the API's JSON; one that this version cannot read counts as empty."""
    try:
        return model.model_validate(body.get("status") or {})
    except ValidationError:
        return model()
