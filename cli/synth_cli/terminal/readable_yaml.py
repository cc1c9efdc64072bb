"""YAML that people like to read, and that means the same to every reader: PyYAML, OmegaConf, kubectl."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml
from typing_extensions import override

WIDTH: Final = 100
_SHORT: Final = 8
"""Items of a list that fits into one line."""
_NUMBER_TO_SOME: Final = re.compile(r"[-+]?(\.?[0-9][0-9_.]*([eE][-+]?[0-9]+)?|0[xobXOB][0-9a-fA-F_]+|[0-9_:]+)|[yYnN]")
"""Text that one of the readers takes for a number or a truth value."""

_BREAKS: Final = frozenset("\x85\u2028\u2029")
"""Line breaks to YAML 1.1: escaped, or they come back as others."""


class _Dumper(yaml.SafeDumper):
    """Blocks, short lists of scalars in one line, lists indented below their key, no aliases."""

    @override
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    in_line = len(items) <= _SHORT and not any(isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=in_line)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    quoted = '"' if _BREAKS & set(text) else "'" if _NUMBER_TO_SOME.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=quoted)


_Dumper.add_representer(list, _list)
_Dumper.add_representer(str, _text)


def readable(document: Any) -> str:
    """A plain value, keys in their order."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=WIDTH, allow_unicode=True)
    return text
