"""Fragments in folders beside a recipe, Hydra's config groups: `blueprints/particles: big` is a file in two folders.

A key of a source's files is the path of such a file without its ending, and its package where that is not its folder:
`blueprints/particles/big`, `scenes/big@_global_`. The package is the dotted place in the recipe where the content goes,
counted from the root.
"""

from __future__ import annotations

import re
from typing import Any, Final

_PATH: Final = re.compile(r"/?[\w-]+(?:/[\w-]+){0,8}")
_PACKAGE: Final = re.compile(r"[\w-]+(?:\.[\w-]+){0,8}")
_HEADER: Final = re.compile(r"\s*#\s*@package:?\s+(\S+)\s*$", re.MULTILINE)


def get_group(key: str) -> str:
    """Return the folder of a file, empty beside the recipe."""
    return get_path(key).rpartition("/")[0]


def get_path(key: str) -> str:
    """Return the path of a file, without its package."""
    return key.partition("@")[0]


def read_package_header(text: str) -> str | None:
    """Return the package that a file's first line names, `# @package _global_`; None if that is the file's folder."""
    found = _HEADER.match(text)
    return found[1] if found and found[1] != "_group_" else None


def list_entry_keys(entry: Any, group: str) -> list[str] | None:
    """Return the package in a file's first line, `# @package _global_`; None if that is the file's folder."""
    if isinstance(entry, str):
        return _list_keys([entry], group)
    if not isinstance(entry, dict) or len(entry) != 1:
        return None
    ((written, options),) = entry.items()
    folder, at, package = str(written).partition("@")
    names = options if isinstance(options, list) else [] if options is None else [options]
    return _list_keys([f"{folder}/{name}{at}{package}" for name in names], group)


def nest_content(key: str, tree: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file, without `defaults`, at its package."""
    content: dict[str, Any] = {name: value for name, value in tree.items() if name != "defaults"}
    package = key.partition("@")[2] or get_group(key).replace("/", ".")
    for word in reversed(package.split(".") if package else []):
        if word not in ("_global_", "_here_"):
            content = {word: content}
    return content


def _list_keys(written: list[str], group: str) -> list[str] | None:
    keys = []
    for name in written:
        path, at, package = name.partition("@")
        if not _PATH.fullmatch(path) or (at and not _PACKAGE.fullmatch(package)):
            return None
        whole = path[1:] if path.startswith("/") else f"{group}/{path}" if group else path
        keys.append(whole + at + package)
    return keys
