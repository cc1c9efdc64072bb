"""Programs run to their end, with an error that shows what they said."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class CommandError(Exception):
    """A program ended with another code than 0; `stderr` is what it said."""

    def __init__(self, command: tuple[str, ...], code: int, stderr: str) -> None:
        super().__init__(f"{' '.join(command[:12])} ended with {code}: {stderr.strip()[-2000:]}")
        self.code = code
        self.stderr = stderr


def run(
    *command: str | Path,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = 600,
) -> str:
    """Standard output of a program. Raises CommandError, and TimeoutExpired after `timeout` seconds."""
    words = tuple(str(word) for word in command)
    ended = subprocess.run(words, input=stdin, capture_output=True, text=True, env=environment, timeout=timeout)
    if ended.returncode:
        raise CommandError(words, ended.returncode, ended.stderr)
    return ended.stdout
