"""Fast run keys: canonical bytes are cut at the nodes that axes change, and only these nodes are encoded again.

A node is an entry of a recipe's maps or step lists (`blueprints.particles.Bead`). An axis of numbers changes what its
own node holds, and nodes that refer to it by interpolation, but never the meaning of other values. Any other axis
(targets, names, prototypes, whole subtrees) is called structural. For each combination of values of the
structural axes there is a template: static bytes between the nodes that axes of numbers touch. Axes that touch a node
together form a group, whose nodes are encoded together.

If an axis of numbers turns out to change more than its nodes, the key is computed from the whole recipe.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from synth_api.canonical_json import canonical_json
from synth_api.composition.interpolation import has_computed_keys
from synth_api.errors import InputError
from synth_api.recipe.run_key import EXCLUDED_KEY, build_key_tree, compute_run_key
from synth_api.sweep.axis_values import DecimalRange
from synth_api.sweep.key_pieces import Pieces, cut_at_number, encode_number
from synth_api.sweep.tree_paths import Path, find_differences, get_value, replace_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synth_api.sweep.axis_values import Value
    from synth_api.sweep.run_space import RunSpace

_NODE_DEPTH = 4
"""In {"engine", "recipe"}: recipe, section, map or list, entry."""

_MIN_FORMATTED_RANGE = 32
"""Length from which numbers of a range are inserted into the encoded node instead of parsed."""

_MAX_TEMPLATES = 1_000
_MAX_TEXTS = 20_000
"""Bounds of the caches' memory."""

Digits = tuple[int, ...]
"""Indices into axes' values, of every axis or of a group's."""


class _NotLocalError(Exception):
    """An axis of numbers changes more than its nodes."""


def generate_keys(space: RunSpace, start: int, stop: int) -> Iterator[bytes]:
    """Yield the keys of runs start … stop - 1, 32 bytes each; EXCLUDED_KEY for excluded runs.

    Raises InputError at a run whose values do not fit together.
    """
    grid, dimensions = space.grid, space.dimensions
    if has_computed_keys([space.base, *(list(axis.values) for axis in space.axes if not _is_numeric(axis.values))]):
        # The referred node depends on the run, so no axis has nodes of its own.
        for run in range(start, stop):
            yield bytes.fromhex(space.key(run)) if space.is_included(run) else EXCLUDED_KEY
        return
    numeric = [_is_numeric(axis.values) for axis in space.axes]
    templates = lru_cache(_MAX_TEMPLATES)(lambda digits: _Template(space, digits, numeric))
    texts = lru_cache(_MAX_TEXTS)(_Template.encode_nodes)
    for run in range(start, stop):
        place = grid.find_place(run)
        if grid.boxes and grid.is_excluded(place):
            yield EXCLUDED_KEY
            continue
        digits = [place[dimension] for dimension in dimensions]
        try:
            template = templates(tuple([0 if free else digit for digit, free in zip(digits, numeric, strict=True)]))
            for group, chosen in template.find_changes(digits):
                template.fill(group, chosen, template.format_nodes(group, chosen[0]) or texts(template, group, chosen))
            yield sha256(b"".join(template.parts)).digest()
        except (InputError, _NotLocalError):
            yield bytes.fromhex(compute_run_key(space.build_recipe_at(digits)))


class _Template:
    """The key document at one combination of structural values, cut at the nodes that the axes of numbers touch.

    `parts` are the document's bytes; each group of axes fills some of them with its nodes.
    """

    def __init__(self, space: RunSpace, base: Digits, numeric: Sequence[bool]) -> None:
        self._space, self._base = space, base
        self._document = self._build_document({})
        touched = {number: self._find_nodes(number) for number, free in enumerate(numeric) if free}
        joined = _join_groups({number: nodes for number, nodes in touched.items() if nodes})
        self._groups = [numbers for numbers, _ in joined]
        self._nodes = [nodes for _, nodes in joined]
        self.parts, self._positions = _cut_document(self._document, self._nodes)
        self._pieces = [self._cut_pieces(group) for group in range(len(joined))]
        self._filled: list[Digits | None] = [None for _ in joined]

    def find_changes(self, digits: Sequence[int]) -> Iterator[tuple[int, Digits]]:
        """Yield the groups whose parts hold other values, each with its digits."""
        for group, numbers in enumerate(self._groups):
            chosen = tuple([digits[number] for number in numbers])
            if chosen != self._filled[group]:
                yield group, chosen

    def fill(self, group: int, chosen: Digits, texts: Sequence[bytes]) -> None:
        """Put a group's nodes into their parts."""
        for position, text in zip(self._positions[group], texts, strict=True):
            self.parts[position] = text
        self._filled[group] = chosen

    def encode_nodes(self, group: int, chosen: Digits) -> tuple[bytes, ...]:
        """Return a group's nodes at its axes' values. Raises _NotLocalError if more than these nodes has changed."""
        nodes = self._nodes[group]
        document = self._build_document(dict(zip(self._groups[group], chosen, strict=True)))
        if any(not _is_below(path, nodes) for path in find_differences(self._document, document, _NODE_DEPTH)):
            raise _NotLocalError
        return tuple(canonical_json(get_value(document, node)) for node in nodes)

    def format_nodes(self, group: int, digit: int) -> tuple[bytes, ...] | None:
        """Return the nodes of a long range; None if the number cannot be inserted into its place."""
        pieces = self._pieces[group]
        if pieces is None:
            return None
        number = encode_number(self._space.axes[self._groups[group][0]].values[digit])
        return tuple([number.join(around) for around in pieces])

    def _build_document(self, changed: dict[int, int]) -> dict[str, Any]:
        return build_key_tree(
            self._space.build_recipe_at([changed.get(number, digit) for number, digit in enumerate(self._base)])
        )

    def _find_nodes(self, number: int) -> set[Path]:
        return {
            path
            for digit in _sample_digits(self._space.axes[number].values)
            for path in find_differences(self._document, self._build_document({number: digit}), _NODE_DEPTH)
        }

    def _cut_pieces(self, group: int) -> tuple[Pieces, ...] | None:
        """Return the bytes around a long range's number in its nodes, verified at both ends and the second value."""
        numbers = self._groups[group]
        values = self._space.axes[numbers[0]].values
        if len(numbers) > 1 or not isinstance(values, range | DecimalRange) or len(values) < _MIN_FORMATTED_RANGE:
            return None
        second = self._build_document({numbers[0]: 1})
        pieces = cut_at_number(self._document, second, self._nodes[group])
        for digit in (0, 1, len(values) - 1):
            if pieces is None:
                break
            number = encode_number(values[digit])
            if tuple(number.join(around) for around in pieces) != self.encode_nodes(group, (digit,)):
                return None
        return pieces


def _is_numeric(values: Sequence[Value]) -> bool:
    if isinstance(values, range | DecimalRange):
        return True
    return all(isinstance(part, int | float) for value in values for part in _flatten(value))


def _flatten(value: Value) -> Iterator[Value]:
    if isinstance(value, list):
        for item in value:
            yield from _flatten(item)
    else:
        yield value


def _sample_digits(values: Sequence[Value]) -> set[int]:
    """Return digits that show which nodes an axis changes: the last, and the second or the first that differs."""
    last = len(values) - 1
    if isinstance(values, range | DecimalRange):
        return {min(1, last), last}
    return {next((digit for digit, value in enumerate(values) if value != values[0]), 0), last}


def _join_groups(touched: dict[int, set[Path]]) -> list[tuple[tuple[int, ...], tuple[Path, ...]]]:
    """Return groups of axes whose nodes overlap, with their outermost nodes."""
    groups: list[tuple[set[int], set[Path]]] = []
    for number, nodes in touched.items():
        numbers, everything = {number}, set(nodes)
        for group in [
            group for group in groups if any(_is_below(a, group[1]) or _is_any_below(group[1], a) for a in nodes)
        ]:
            groups.remove(group)
            numbers |= group[0]
            everything |= group[1]
        groups.append((numbers, everything))
    return [
        (tuple(sorted(numbers)), tuple(node for node in nodes if not _is_below(node, nodes - {node})))
        for numbers, nodes in groups
    ]


def _is_below(path: Path, nodes: set[Path] | tuple[Path, ...]) -> bool:
    return any(path[: len(node)] == node for node in nodes)


def _is_any_below(paths: set[Path], node: Path) -> bool:
    return any(path[: len(node)] == node for path in paths)


def _cut_document(document: dict[str, Any], groups: Sequence[Sequence[Path]]) -> tuple[list[bytes], list[list[int]]]:
    """Return the document's bytes with room for each group's nodes, and the positions of that room.

    NUL marks the room: YAML cannot hold it.
    """
    names = [(group, node) for group, nodes in enumerate(groups) for node in nodes]
    for name, (_, node) in enumerate(names):
        document = replace_value(document, node, f"\0{name}")
    parts = re.split(rb'"\\u0000(\d+)"', canonical_json(document))
    at = {int(name): 2 * index + 1 for index, name in enumerate(parts[1::2])}
    positions: list[list[int]] = [[] for _ in groups]
    for name, (group, _) in enumerate(names):
        positions[group].append(at[name])
    return parts, positions
