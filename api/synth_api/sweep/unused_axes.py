"""Detection of axes that no picture depends on: their runs would repeat one picture under different keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synth_api.sweep.axis_values import DecimalRange
from synth_api.sweep.tree_paths import Path, find_differences, get_value, parse_path, replace_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synth_api.recipe.ineffective_values import Finding
    from synth_api.sweep.axes import Axis

_ANY_DEPTH: Final = -1


class IdlePlaces:
    """The places without effect that all recipes seen so far have in common, each with the reason."""

    def __init__(self) -> None:
        self._reasons: dict[Path, str] | None = None

    def narrow(self, findings: Iterable[Finding]) -> None:
        """Keep the places that one more recipe has as well."""
        found = {finding.location: finding.reason for finding in findings}
        known = found if self._reasons is None else self._reasons
        self._reasons = {place: reason for place, reason in known.items() if place in found}

    def find_reason(self, axes: Sequence[Axis]) -> str:
        """Return why nothing that the axes change has an effect; empty if a part has one or nothing changes."""
        reasons = [self._find_path_reason(path) for axis in axes for path in _find_changed_paths(axis)]
        return reasons[0] if reasons and all(reasons) else ""

    def contains_differences(self, trees: Iterable[Any]) -> bool:
        """Return True if two or more trees differ in idle places only: no interpolation copies a value elsewhere."""
        rest = map(self._blank_idle, trees)
        first, second = next(rest, None), next(rest, None)
        return second is not None and first == second and all(tree == first for tree in rest)

    def _find_path_reason(self, path: Path) -> str:
        places = (path[: depth + 1] for depth in range(len(path)))
        return next((self._reasons[place] for place in places if place in self._reasons), "") if self._reasons else ""

    def _blank_idle(self, tree: Any) -> Any:
        for place in self._reasons or ():
            try:
                get_value(tree, place)
            except LookupError:
                continue
            tree = replace_value(tree, place, None)
        return tree


def _find_changed_paths(axis: Axis) -> set[Path]:
    """Return the paths at which the values of an axis differ, down to entries of mappings and lists."""
    path = parse_path(axis.path)
    if isinstance(axis.values, range | DecimalRange):
        return {path} if len(axis.values) > 1 else set()
    first, *others = axis.values
    return {(*path, *below) for other in others for below in find_differences(first, other, _ANY_DEPTH)}
