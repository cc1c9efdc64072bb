"""Logs of the operator: one JSON object per line whatever happens, without credentials, also of libraries."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import kopf
import pytest
from kopf._cogs.structs.bodies import Body
from kopf._core.actions.loggers import LocalObjectLogger
from kubernetes.client import Configuration

from synth_operator.kube.client import read_authorization
from synth_operator.logs import RedactingFormatter, configure_logging
from synth_operator.watch.kopf_setup import build_settings

HOSTILE = "\x1b[31mred\u202e\nnext line"


@contextmanager
def record_log() -> Iterator[list[dict[str, Any]]]:
    """Configure the log for a block; its lines are in the list afterwards."""
    root, output = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    hooks = (threading.excepthook, sys.excepthook, sys.unraisablehook, sys.stdout, sys.stderr)
    lines: list[dict[str, Any]] = []
    sys.stderr = output
    configure_logging("INFO")
    try:
        yield lines
    finally:
        logging.captureWarnings(False)
        root.handlers = handlers
        threading.excepthook, sys.excepthook, sys.unraisablehook, sys.stdout, sys.stderr = hooks
        root.setLevel(level)
    lines += [json.loads(line) for line in output.getvalue().splitlines()]


def test_message_traceback_and_fields_are_redacted() -> None:
    connection = Configuration()
    connection.api_key = {"authorization": "Bearer a-token-of-the-service-account"}
    read_authorization(connection)
    try:
        raise ValueError("sent b'a-token-of-the-service-account'")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed: %s", ("Signature=0a1b",), sys.exc_info())
    record.where = "https://user:word@host"
    entry = json.loads(RedactingFormatter().format(record))
    assert entry["message"] == "failed: Signature=***"
    assert entry["where"] == "https://***@host"
    assert entry["exc_info"].endswith("ValueError: sent b'***'")


def test_an_error_that_ends_a_thread_is_logged() -> None:
    def fail() -> None:
        raise ValueError("Authorization: Bearer abc")

    thread = threading.Thread(target=fail)
    with record_log() as log:
        thread.start()
        thread.join()
    (entry,) = log
    assert entry["message"] == "a thread has ended"
    assert "ValueError: Authorization: ***" in entry["exc_info"]
    assert "abc" not in entry["exc_info"]


def test_kopfs_own_records_are_lines_with_the_object() -> None:
    body = Body({"kind": "Job", "metadata": {"namespace": "lab", "name": HOSTILE}})
    logger = LocalObjectLogger(body=body, settings=build_settings())
    with record_log() as log:
        try:
            raise kopf.PermanentError(HOSTILE)
        except kopf.PermanentError:
            logger.exception("Handler %r failed", HOSTILE)

    (entry,) = log
    assert (entry["logger"], entry["level"]) == ("kopf.objects", "ERROR")
    assert (entry["object"]["namespace"], entry["object"]["name"]) == ("lab", HOSTILE)
    assert "settings" not in entry


class Unprintable:
    def __str__(self) -> str:
        raise OverflowError(HOSTILE)


@pytest.mark.parametrize(
    ("message", "arguments"), [("%s", (Unprintable(),)), ("%d", ("one",)), ("%s %s", ("one",)), ("%s", (10**5000,))]
)
def test_a_record_that_cannot_be_formatted_is_a_line(message: str, arguments: tuple[object, ...]) -> None:
    with record_log() as log:
        logging.getLogger("library").warning(message, *arguments)

    (entry,) = log
    assert (entry["level"], entry["logger"]) == ("WARNING", "library")
    assert entry["message"].startswith("a record cannot be formatted: ")


def test_a_field_that_is_no_json_is_described() -> None:
    with record_log() as log:
        logging.getLogger("library").warning(
            "with fields", extra={"field": Unprintable(), "settings": build_settings()}
        )

    (entry,) = log
    assert entry["message"] == "with fields"
    assert "Unprintable" in entry["field"]


def test_what_is_printed_past_the_log_is_lines_of_it() -> None:
    with record_log() as log, warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(True)
        print("to", "stdout")
        print(HOSTILE, file=sys.stderr)
        sys.stderr.write("half a ")
        sys.stderr.write("line\n\n")
        warnings.warn("careful", UserWarning, stacklevel=1)

    assert [(entry["logger"], entry["message"].split("UserWarning: ")[-1].strip()) for entry in log] == [
        ("stdout", "to stdout"),
        ("stderr", "\x1b[31mred\u202e"),
        ("stderr", "next line"),
        ("stderr", "half a line"),
        ("py.warnings", 'careful\n  warnings.warn("careful", UserWarning, stacklevel=1)'),
    ]


def test_an_error_that_nobody_can_catch_is_logged() -> None:
    class Failing:
        def __del__(self) -> None:
            raise OverflowError("too late")

    with record_log() as log:
        Failing()

    (entry,) = log
    assert entry["message"] == "an object cannot be cleaned up"
    assert "OverflowError: too late" in entry["exc_info"]


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    with record_log() as log:
        (handler,) = logging.getLogger().handlers
        assert isinstance(handler, logging.StreamHandler)
        stream, handler.stream = handler.stream, io.StringIO()
        handler.stream.close()
        logging.getLogger("library").warning("lost")
        handler.stream = stream
        logging.getLogger("library").warning("kept")

    assert [entry["message"] for entry in log] == ["kept"]
