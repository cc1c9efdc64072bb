"""Whether a word names a sweep on a cluster or something on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from synth_api.errors import InputError

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?")
"""Up to 253 characters, Kubernetes' limit."""


def check_sweep_name(name: str) -> None:
    """Raise InputError for what no sweep can be called, and what would be another address of the API server."""
    if not _LABEL.fullmatch(name):
        problem = "cannot be the name of a sweep: use lower-case letters, digits and '-' inside; synth status lists all"
        raise InputError(name, problem)


def is_sweep_name(word: str, namespace: str | None, context: str | None) -> bool:
    """A word that is there as a file or folder, or looks like a path, is one, unless a cluster is spoken of."""
    if namespace is not None or context is not None:
        return True
    return _LABEL.fullmatch(word) is not None and not Path(word).exists()
