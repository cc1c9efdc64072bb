"""Names of sweeps on a cluster, distinguished from files on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from synth_api.errors import InputError

_SWEEP_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?")
"""At most 253 characters, the limit of Kubernetes."""


def check_name(name: str, what: str) -> None:
    """Raise InputError for an invalid name of `what`, which in a path could address another resource."""
    if not _SWEEP_NAME.fullmatch(name):
        problem = (
            f"cannot be the name of a {what}: use lower-case letters, digits and '-' inside; synth status lists all"
        )
        raise InputError(name, problem)


def is_sweep_name(word: str, namespace: str | None, context: str | None) -> bool:
    """Return True if a word names a sweep: with a namespace or context always, else if it is no path and no file."""
    if namespace is not None or context is not None:
        return True
    return _SWEEP_NAME.fullmatch(word) is not None and not Path(word).exists()
