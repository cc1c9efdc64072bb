"""Logs: one JSON object per line, with namespace, sweep and plan in lines about a sweep, without credentials."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonEncoder, JsonFormatter
from typing_extensions import override

from synth_api.errors import InputError
from synth_api.redaction import redact_tree
from synth_api.sentences import explain
from synth_operator.configuration import Configuration

if TYPE_CHECKING:
    from pathlib import Path

_QUIET_LOGGERS: Final = ("kopf", "hydra", "kubernetes", "urllib3", "aiohttp", "asyncio")
"""Libraries that log warnings and errors only."""
_KOPF_FIELDS: Final = ("settings", "k8s_skip")
"""Fields of kopf's records that are no facts; the settings cannot be written as JSON."""


class _Encoder(JsonEncoder):
    """Encoder that names the class of what is no JSON."""

    @override
    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except Exception:  # of a copy or a foreign __str__
            return type(o).__name__


class RedactingFormatter(JsonFormatter):
    """JSON formatter that redacts message, traceback and extra fields, since libraries put credentials into them."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger", "k8s_ref": "object"},
            reserved_attrs=[*RESERVED_ATTRS, *_KOPF_FIELDS],
            json_encoder=_Encoder,
        )

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line; a record that cannot be formatted is named by its logger and the error."""
        try:
            return super().format(record)
        except Exception as error:  # of a foreign __str__, a wrong number of arguments, a field that is no JSON
            message = f"a record cannot be formatted: {type(error).__name__}"
            return json.dumps({"level": record.levelname, "logger": record.name, "message": message})

    @override
    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON object of a record, redacted."""
        redacted: dict[str, Any] = redact_tree(super().process_log_record(log_data))
        return redacted


class LogHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only
    """Handler that writes each record as one line; what cannot be written is dropped."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Print nothing: Python would print a traceback."""


class LoggedStream(io.TextIOBase):
    """Text stream whose lines become records of a logger: what Python and libraries print past the log."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._rest = ""

    @override
    def writable(self) -> bool:
        """Return True: text may be written."""
        return True

    @override
    def write(self, text: str, /) -> int:
        """Log the complete lines, keep the rest for the next call."""
        with self._lock:
            *lines, self._rest = f"{self._rest}{text}".split("\n")
        for line in filter(None, map(str.rstrip, lines)):
            self._logger.error("%s", line)
        return len(text)


def configure_logging(level: str) -> None:
    """Send all logs of the process from this level on to standard error, and everything else that is printed.

    Uncaught exceptions, warnings and prints of libraries become records too, so that every line is a JSON object.
    """
    handler = LogHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)  # it warns that it does not handle signals
    logging.captureWarnings(True)
    threading.excepthook = lambda args: _log_uncaught("a thread has ended", args.exc_value)
    sys.excepthook = lambda _type, error, _traceback: _log_uncaught("the operator has ended", error)
    sys.unraisablehook = lambda args: _log_uncaught("an object cannot be cleaned up", args.exc_value)
    sys.stdout, sys.stderr = LoggedStream(logging.getLogger("stdout")), LoggedStream(logging.getLogger("stderr"))


def start_logging(file: Path) -> Configuration | None:
    """Start the log at the level of the configuration in a file, and return that; None for a wrong one, with a log."""
    configure_logging("INFO")
    try:
        configuration = Configuration.read(file)
    except InputError as error:
        logging.getLogger(__name__).error("%s", explain(error))
        return None
    logging.getLogger().setLevel(configuration.log_level)
    return configuration


def _log_uncaught(event: str, error: BaseException | None) -> None:
    logging.getLogger(__name__).error(event, exc_info=error)
