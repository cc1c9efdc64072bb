"""Logs: one JSON object per line, with namespace, sweep and plan where it speaks of a sweep, without credentials."""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

from synth_api.redaction import redact_tree

_QUIET: Final = ("kopf", "hydra", "kubernetes", "urllib3", "aiohttp", "asyncio")
"""Libraries of which only warnings are of interest."""


class Formatter(JsonFormatter):
    """Message, traceback and extra fields pass `redact`: whatever a library has put into them."""

    @override
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """The object before it is written."""
        redacted: dict[str, Any] = redact_tree(super().process_log_record(log_data))
        return redacted


def log_json(level: str) -> None:
    """Sends all logging of the process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        Formatter(
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
    threading.excepthook = lambda ended: _log_end("a thread has ended", ended.exc_value)
    sys.excepthook = lambda _type, error, _traceback: _log_end("the operator has ended", error)


def _log_end(event: str, error: BaseException | None) -> None:
    logging.getLogger(__name__).error(event, exc_info=error)
