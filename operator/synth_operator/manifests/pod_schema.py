"""Schema check of a pod template: keys and types of the official client's models."""

from __future__ import annotations

import re
from typing import Any, Final

from kubernetes import client

from synth_api.errors import InputError, suggest_name
from synth_api.problems import quote_value

_ITEMS: Final = re.compile(r"List\[(\w+)\]")
_SCALARS: Final[dict[str, tuple[str, tuple[type, ...]]]] = {
    "str": ("a string", (str,)),
    "datetime": ("a string", (str,)),
    "int": ("a whole number", (int,)),
    "bool": ("true or false", (bool,)),
}


def check_pod_template(path: str, tree: Any) -> None:
    """Raise InputError for the first unknown key of a pod template, or the first value of a wrong type."""
    _check(path, "V1PodTemplateSpec", tree)


def _check(path: str, kind: str, value: Any) -> None:
    items = _ITEMS.fullmatch(kind)
    if kind == "object" or value is None:
        return
    if items:
        if not isinstance(value, list):
            raise InputError(path, f"must be a list, not {quote_value(value)}")
        for index, item in enumerate(value):
            _check(f"{path}[{index}]", items[1], item)
    elif kind.startswith("Dict"):
        _check_string_mapping(path, value)
    elif kind in _SCALARS:
        _check_scalar(path, kind, value)
    else:
        _check_model(path, getattr(client, kind), value)


def _check_string_mapping(path: str, value: Any) -> None:
    """Check a mapping to strings; quantities may be numbers too."""
    if not isinstance(value, dict):
        raise InputError(path, f"must be a mapping, not {quote_value(value)}")
    quantities = path.endswith((".limits", ".requests"))
    for key, text in value.items():
        if isinstance(text, bool) or not isinstance(text, str | int | float if quantities else str):
            raise InputError(f"{path}.{key}", f"must be a string, not {quote_value(text)}; quote it")


def _check_scalar(path: str, kind: str, value: Any) -> None:
    description, types = _SCALARS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "bool"):
        raise InputError(path, f"must be {description}, not {quote_value(value)}")


def _check_model(path: str, model: Any, value: Any) -> None:
    if not isinstance(value, dict):
        raise InputError(path, f"must be a mapping, not {quote_value(value)}")
    names = {name: attribute for attribute, name in model.attribute_map.items()}
    for key, item in value.items():
        if key not in names:
            raise InputError(f"{path}.{key}", f"a pod template has no key '{key}' here; {suggest_name(key, names)}")
        _check(f"{path}.{key}", model.openapi_types[names[key]], item)
