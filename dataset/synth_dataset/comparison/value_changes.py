"""Values that differ between two JSON trees, by their JSON Pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from synth_api.canonical_json import canonical_json
from synth_dataset.documents.json_patch import build_patch, read_value

if TYPE_CHECKING:
    from collections.abc import Iterable


class ValueChange(NamedTuple):
    """Operation of a JSON Patch (RFC 6902) with the value before it; None stands for a value that is not there."""

    op: str
    """`add`, `remove` or `replace`."""
    path: str
    """JSON Pointer (RFC 6901)."""
    old: Any
    new: Any


def list_changes(old: Any, new: Any) -> tuple[ValueChange, ...]:
    """Return the values that differ between two trees, in the order of the trees."""
    return tuple(
        ValueChange(
            operation["op"],
            operation["path"],
            None if operation["op"] == "add" else read_value(old, operation["path"]),
            operation.get("value"),
        )
        for operation in build_patch(old, new)
    )


class AxisChange(NamedTuple):
    """Axis that has other values, in the order of their dataset; an axis that a dataset lacks has none there."""

    path: str
    removed: tuple[Any, ...]
    added: tuple[Any, ...]


def list_axis_changes(old: Iterable[Any], new: Iterable[Any]) -> tuple[AxisChange, ...]:
    """Return the differences of axes, each with `path` and `values`."""
    before = {axis.path: axis.values for axis in old}
    after = {axis.path: axis.values for axis in new}
    pairs = ((path, before.get(path, ()), after.get(path, ())) for path in before | after)
    changes = [AxisChange(path, _subtract(mine, theirs), _subtract(theirs, mine)) for path, mine, theirs in pairs]
    return tuple(change for change in changes if change.removed or change.added)


def _subtract(values: Iterable[Any], others: Iterable[Any]) -> tuple[Any, ...]:
    """Return the values that are not among others; they may be lists, which have no hash."""
    known = {canonical_json(value) for value in others}
    return tuple(value for value in values if canonical_json(value) not in known)
