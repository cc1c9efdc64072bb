"""Difference of two JSON trees as a JSON Patch (RFC 6902) of the operations `add`, `replace` and `remove`."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Operation = dict[str, Any]
"""`op`, `path` (a JSON Pointer, RFC 6901) and, unless it removes, `value`."""


def build_patch(old: Any, new: Any, path: str = "") -> list[Operation]:
    """Return the operations that make `new` of `old`; a list of another length is replaced as a whole.

    Numbers of another type differ: `1` and `1.0` are two values.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        removed = [{"op": "remove", "path": _extend(path, key)} for key in old if key not in new]
        added = [{"op": "add", "path": _extend(path, key), "value": new[key]} for key in new if key not in old]
        pairs: list[tuple[Any, Any, Any]] = [(key, old[key], new[key]) for key in old if key in new]
        return [*removed, *added, *_build_below(path, pairs)]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return _build_below(path, [(index, *pair) for index, pair in enumerate(zip(old, new, strict=True))])
    return [] if type(old) is type(new) and old == new else [{"op": "replace", "path": path, "value": new}]


def apply_patch(tree: Any, patch: list[Operation]) -> Any:
    """Return a tree with the operations of `build_patch` applied in order; `tree` stays as it is.

    Raises KeyError, IndexError, TypeError or ValueError for a patch of another tree.
    """
    root = {"": deepcopy(tree)}
    for operation in patch:
        parent: Any = root
        *above, last = ["", *(_decode(part) for part in operation["path"].split("/")[1:])]
        for part in above:
            parent = parent[int(part) if isinstance(parent, list) else part]
        place = int(last) if isinstance(parent, list) else last
        if operation["op"] == "remove":
            del parent[place]
        else:
            parent[place] = deepcopy(operation["value"])
    return root[""]


def read_value(tree: Any, path: str) -> Any:
    """Return the value at a JSON Pointer. Raises LookupError without one."""
    for part in path.split("/")[1:]:
        tree = tree[int(part) if isinstance(tree, list) else _decode(part)]
    return tree


def _build_below(path: str, pairs: list[tuple[Any, Any, Any]]) -> list[Operation]:
    return [operation for key, old, new in pairs for operation in build_patch(old, new, _extend(path, key))]


def _extend(path: str, key: Any) -> str:
    return f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _decode(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
