"""Commands that run to their end, with an error that shows their standard error."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class CommandError(Exception):
    """A command ended with a nonzero exit code; `stderr` is its standard error."""

    def __init__(self, command: tuple[str, ...], code: int, stderr: str) -> None:
        super().__init__(f"{' '.join(command[:12])} ended with {code}: {stderr.strip()[-2000:]}")
        self.code = code
        self.stderr = stderr


def run_command(
    *command: str | Path,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = 600,
) -> str:
    """Return the standard output of a command. Raises CommandError, and TimeoutExpired after `timeout` seconds."""
    arguments = tuple(str(part) for part in command)
    done = subprocess.run(arguments, input=stdin, capture_output=True, text=True, env=environment, timeout=timeout)
    if done.returncode:
        raise CommandError(arguments, done.returncode, done.stderr)
    return done.stdout
