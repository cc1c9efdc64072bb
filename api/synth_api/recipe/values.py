"""Plain values of features in a recipe."""

from __future__ import annotations

from math import isfinite
from typing import Any

from synth_api.errors import InputError

_MAX_INTEGER = 2**53 - 1


def parse_plain_value(value: Any) -> Any:
    """Return a finite number, string, bool or null, or a list of them as a tuple. Raises InputError otherwise."""
    if isinstance(value, list | tuple):
        return tuple(parse_plain_value(item) for item in value)
    if isinstance(value, dict):
        raise InputError("", "must be a number, string, bool, null or a list of them, not a mapping")
    if isinstance(value, float) and not isfinite(value):
        raise InputError("", f"must be a finite number, not {value}")
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        raise InputError("", f"must lie within ±(2^53 - 1), {value} does not")
    return value
