"""Logs: one JSON object per line, with namespace, sweep and plan where it speaks of a sweep."""

from __future__ import annotations

import logging
import sys
from typing import Final

from pythonjsonlogger.json import JsonFormatter

_QUIET: Final = ("kopf", "hydra", "kubernetes", "urllib3", "aiohttp", "asyncio")
"""Libraries of which only warnings are of interest."""


def log_json(level: str) -> None:
    """Sends all logging of the process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{name}{message}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger"},
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)  # it warns that signals are ours
