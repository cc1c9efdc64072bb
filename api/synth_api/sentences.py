"""Messages for people and programs: one printable line without credentials, of bounded length."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field

from synth_api.redaction import redact, redact_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CHARACTERS: Final = 1024
"""Maximum of a sentence, as in a Kubernetes Event."""
_MAX_READ: Final = 1 << 16
"""Characters of an external text that are processed."""


def clean(text: str, longest: int = MAX_CHARACTERS) -> str:
    """Return a text as one printable line without credentials, at most `longest` characters; idempotent."""
    text = redact(text[:_MAX_READ])
    line = _join_lines(text)
    return shorten(line if line == text else redact(line), longest)


def shorten(text: str, longest: int) -> str:
    """Return the text, or its beginning and an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def explain(error: BaseException, longest: int = MAX_CHARACTERS) -> str:
    """Return an exception as a sentence, with the class in front unless the exception is defined in this project."""
    name = type(error).__name__
    try:
        text = clean(str(error), longest)
    except Exception:  # any exception of a foreign __str__
        text = ""
    if not text:
        return name
    return text if is_own_error(error) else shorten(f"{name}: {text}", longest)


def is_own_error(error: BaseException) -> bool:
    """Return True if this project defines the exception, so that its text is a sentence."""
    return type(error).__module__.startswith("synth_")


def describe_traceback(error: BaseException) -> str:
    """Return the traceback of an exception as Python prints it, without credentials; its end where it is very long."""
    return redact("".join(traceback.format_exception(error))[-_MAX_READ:])


def format_log_entry(event: str, facts: Mapping[str, Any]) -> str:
    """Return a line of a log: one JSON object with the time, without credentials."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps(redact_tree({"time": time, "event": event, **facts}))


def _join_lines(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _build_cleaner(longest: int) -> BeforeValidator:
    return BeforeValidator(lambda text: clean(text, longest) if isinstance(text, str) else text)


Sentence = Annotated[str, _build_cleaner(MAX_CHARACTERS), Field(max_length=MAX_CHARACTERS)]
"""Field whose value is cleaned whenever it is set."""
ShortSentence = Annotated[str, _build_cleaner(512), Field(max_length=512)]
"""Shorter sentence, for items of lists."""
