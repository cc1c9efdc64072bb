"""Readable YAML that PyYAML, OmegaConf and kubectl parse to equal values."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml
from typing_extensions import override

WIDTH: Final = 100
_MAX_INLINE_ITEMS: Final = 8
"""Lists of scalars up to this length are written in one line."""
_NUMBER_TO_SOME: Final = re.compile(r"[-+]?(\.?[0-9][0-9_.]*([eE][-+]?[0-9]+)?|0[xobXOB][0-9a-fA-F_]+|[0-9_:]+)|[yYnN]")
"""Text that one of the parsers reads as a number or a boolean."""

_BREAKS: Final = frozenset("\x85\u2028\u2029")
"""Line breaks in YAML 1.1, which change to others when they are parsed unless they are escaped."""


class _Dumper(yaml.SafeDumper):
    """Dumper of block style: short lists of scalars in one line, lists indented below their key, no aliases."""

    @override
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    in_line = len(items) <= _MAX_INLINE_ITEMS and not any(isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=in_line)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    quoted = '"' if _BREAKS & set(text) else "'" if _NUMBER_TO_SOME.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=quoted)


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(str, _represent_text)


def dump_yaml(document: Any) -> str:
    """Return a plain value as YAML, keys in their order."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=WIDTH, allow_unicode=True)
    return text
