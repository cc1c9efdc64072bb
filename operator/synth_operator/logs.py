"""Logs: one JSON object per line, with namespace, sweep and plan in lines about a sweep, without credentials."""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

from synth_api.redaction import redact_tree

_QUIET_LOGGERS: Final = ("kopf", "hydra", "kubernetes", "urllib3", "aiohttp", "asyncio")
"""Libraries that log warnings and errors only."""


class RedactingFormatter(JsonFormatter):
    """JSON formatter that redacts message, traceback and extra fields, since libraries put credentials into them."""

    @override
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON object of a record, redacted."""
        redacted: dict[str, Any] = redact_tree(super().process_log_record(log_data))
        return redacted


def configure_logging(level: str) -> None:
    """Send all logs of the process from this level on to standard error, also uncaught exceptions."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        RedactingFormatter(
            "{levelname}{name}{message}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger"},
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)  # it warns that it does not handle signals
    threading.excepthook = lambda args: _log_uncaught("a thread has ended", args.exc_value)
    sys.excepthook = lambda _type, error, _traceback: _log_uncaught("the operator has ended", error)


def _log_uncaught(event: str, error: BaseException | None) -> None:
    logging.getLogger(__name__).error(event, exc_info=error)
