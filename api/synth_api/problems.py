"""Pydantic's first validation error as one sentence with path, value and remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.errors import InputError, suggest_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_TYPES: Final = {
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "a string",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}
_BOUNDS: Final = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("greater than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def format_location(location: Iterable[str | int]) -> str:
    """Return a location as `a.b[5].c`; the targets that pydantic adds to its locations are left out."""
    path = ""
    for word in location:
        if isinstance(word, int):
            path += f"[{word}]"
        elif not word.startswith("$"):
            path += f".{word}" if path else word
    return path


def quote_value(value: Any) -> str:
    """Return a value as a message quotes it, at most 80 characters."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:76]}…"


def convert_validation_error(error: ValidationError) -> InputError:
    """Return the first problem of a validation, with its exact path, value and remedy."""
    details = error.errors(include_url=False)[0]
    location = details["loc"][:-1] if details["loc"][-1:] == ("[key]",) else details["loc"]
    return InputError(*_describe_problem(format_location(location), details))


def _describe_problem(path: str, details: ErrorDetails) -> tuple[str, str]:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "unknown_key":
        key = str(context["key"])
        whole = f"{path}.{key}" if path else key
        return whole, f"there is no key '{key}' here; {suggest_name(key, context['known'])}"
    if kind == "missing":
        return path, "a value is missing; write it in the recipe or give it as an override"
    if kind in _TYPES:
        return path, f"must be {_TYPES[kind]}, not {quote_value(value)}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return path, f"must be {words} {_format_number(context[bound])}, not {quote_value(value)}"
    if kind.startswith("union_tag") and isinstance(value, dict):
        path = f"{path}._target_"
    return path, _describe_other_problem(kind, value, context, details["msg"])


def _format_number(bound: float) -> str:
    return str(int(bound) if bound == int(bound) else bound)


def _describe_other_problem(kind: str, value: Any, context: dict[str, Any], message: str) -> str:
    if kind == "union_tag_invalid":
        known = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
        return f"there is no _target_ '{context['tag']}' here; {suggest_name(context['tag'], known)}"
    if kind == "union_tag_not_found":
        return (
            "needs a _target_, the name of a builtin or plugin such as '$builtins.…'"
            if isinstance(value, dict)
            else (f"must be a mapping with a _target_, not {quote_value(value)}")
        )
    if kind == "literal_error":
        known = [word.strip(" '") for word in context["expected"].replace(" or ", ",").split(",")]
        return f"there is no {quote_value(value)} here; {suggest_name(str(value), known)}"
    if kind == "value_error":
        problem = context["error"]
        return problem.problem if isinstance(problem, InputError) else str(problem)
    if kind == "string_pattern_mismatch":
        return f"{quote_value(value)} is not a name that may be used here; use letters, digits, '_' and '-'"
    if kind == "string_too_long":
        return f"{quote_value(value)} has {len(value)} characters; use {context['max_length']} at most"
    if kind in ("too_short", "too_long", "tuple_length"):
        return f"must have {context.get('min_length', context.get('max_length'))} entries, not {len(value)}"
    return f"{quote_value(value)} does not fit: {message[:1].lower()}{message[1:]}"
