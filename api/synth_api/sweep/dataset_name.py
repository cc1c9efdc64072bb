"""Check of the name of a sweep's dataset."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import Final

from synth_api.errors import InputError

MAX_BYTES: Final = 200
"""Bytes of a name in UTF-8; file systems allow 255 for a folder."""
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
"""Characters that some file system does not allow in the name of a folder."""


def check_dataset_name(name: str) -> None:
    """Raise InputError unless the name is valid as a folder on every file system and in every bucket."""
    problem = _find_problem(name)
    if problem:
        raise InputError("", f"{name!a} cannot be the name of a dataset: {problem}; give one with --name")


def _find_problem(name: str) -> str:
    if not name:
        return "it is empty"
    if name[0] in ". " or name[-1] in ". ":
        return "it begins or ends with a point or a blank"
    if name[0] == "~":
        return "it begins with '~', which is a home folder"
    refused = next((letter for letter in name if letter in _FORBIDDEN or not letter.isprintable()), None)
    if refused is not None:
        return f"it contains {refused!a}"
    if PureWindowsPath(name).is_reserved():
        return "Windows keeps it for a device"
    return f"it has more than {MAX_BYTES} bytes" if len(name.encode()) > MAX_BYTES else ""
