"""Logs of the operator: JSON without credentials, also in messages of libraries."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
from kubernetes.client import Configuration

from synth_operator.kube.client import read_authorization
from synth_operator.logs import RedactingFormatter, configure_logging


@pytest.fixture
def _own_logging() -> Iterator[None]:
    root, hooks = logging.getLogger(), (threading.excepthook, sys.excepthook)
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers = handlers
    threading.excepthook, sys.excepthook = hooks
    root.setLevel(level)


def test_message_traceback_and_fields_are_redacted() -> None:
    connection = Configuration()
    connection.api_key = {"authorization": "Bearer a-token-of-the-service-account"}
    read_authorization(connection)
    try:
        raise ValueError("sent b'a-token-of-the-service-account'")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed: %s", ("Signature=0a1b",), sys.exc_info())
    record.where = "https://user:word@host"
    entry = json.loads(RedactingFormatter("{message}", style="{").format(record))
    assert entry["message"] == "failed: Signature=***"
    assert entry["where"] == "https://***@host"
    assert entry["exc_info"].endswith("ValueError: sent b'***'")


@pytest.mark.usefixtures("_own_logging")
def test_an_error_that_ends_a_thread_is_logged(capsys) -> None:
    configure_logging("INFO")

    def fail() -> None:
        raise ValueError("Authorization: Bearer abc")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    entry = json.loads(capsys.readouterr().err)
    assert entry["message"] == "a thread has ended"
    assert "ValueError: Authorization: ***" in entry["exc_info"]
    assert "abc" not in entry["exc_info"]
