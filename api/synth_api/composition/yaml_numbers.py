"""Numbers that readers of YAML disagree about: 0042 is 34 in YAML 1.1, 42 in YAML 1.2, a text in an override."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from synth_api.errors import InputError
from synth_api.problems import format_location

if TYPE_CHECKING:
    from yaml.nodes import Node

_NUMBER_TAGS: Final = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_WHOLE: Final = r"(?:0|[1-9](?:_?[0-9])*)"
_DIGITS: Final = r"[0-9](?:_?[0-9])*"
_DECIMAL: Final = re.compile(
    rf"[-+]?(?:{_WHOLE}\.?|{_WHOLE}?\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
"""Numbers that Hydra's grammar reads alike, and YAML's words for infinity and NaN."""
_NUMBER_ELSEWHERE: Final = re.compile(
    r"[-+]?(?:0[0-9_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[0-9_]+\.[0-9_]*)(?:[eE][-+]?[0-9_]+)?"
)
"""Texts in PyYAML that are numbers in YAML 1.2 or Go."""


def refuse_ambiguous_numbers(file: str, root: Node) -> None:
    """Raise InputError for the first unquoted number below a node that is not written in plain decimal.

    `0042`, `0o17`, `0x1F`, `0b1` and `1:30` (90, in base 60) mean different numbers, or a text, to different readers.
    """
    seen: set[int] = set()
    waiting: list[tuple[Node, tuple[str | int, ...]]] = [(root, ())]
    while waiting:
        node, location = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ScalarNode):
            _check_scalar(file, node, location)
        elif isinstance(node, MappingNode):
            for key, value in reversed(node.value):
                waiting += [(value, (*location, key.value if isinstance(key, ScalarNode) else "?")), (key, location)]
        elif isinstance(node, SequenceNode):
            waiting += reversed([(item, (*location, index)) for index, item in enumerate(node.value)])


def _check_scalar(file: str, node: ScalarNode, location: tuple[str | int, ...]) -> None:
    text: str = node.value
    is_number = node.tag in _NUMBER_TAGS or _NUMBER_ELSEWHERE.fullmatch(text)
    if node.style is not None or not is_number or _DECIMAL.fullmatch(text):
        return
    raise InputError(
        f"{file}: {format_location(location)}" if location else file,
        f"line {node.start_mark.line + 1}: {text} differs between readers of YAML; write the number in decimal "
        f"without leading zeros, or '{text}' in quotes for a text",
    )
