"""What may be said to people and programs: one printable line without a credential, of a bounded length."""

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
"""Characters of a sentence; Kubernetes takes as many in an Event."""
_MAX_READ: Final = 1 << 16
"""Characters of a foreign text that are looked at."""


def clean(text: str, longest: int = MAX_CHARACTERS) -> str:
    """A text as one printable line without credentials, cut at so many characters. `clean` twice is `clean` once."""
    text = redact(text[:_MAX_READ])
    line = _join_lines(text)
    return shorten(line if line == text else redact(line), longest)


def shorten(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def explain(error: BaseException, longest: int = MAX_CHARACTERS) -> str:
    """An exception as a sentence: our own say one, others need their class. The traceback is for the log."""
    name = type(error).__name__
    try:
        text = clean(str(error), longest)
    except Exception:  # whatever a foreign __str__ raises
        text = ""
    if not text:
        return name
    return text if is_own_error(error) else shorten(f"{name}: {text}", longest)


def is_own_error(error: BaseException) -> bool:
    """Whether this project has written the exception, so that its text is a sentence."""
    return type(error).__module__.startswith("synth_")


def describe_traceback(error: BaseException) -> str:
    """The traceback of an exception as Python prints it, without credentials; its end where it is very long."""
    return redact("".join(traceback.format_exception(error))[-_MAX_READ:])


def format_log_entry(event: str, facts: Mapping[str, Any]) -> str:
    """A line of a log: one JSON object with the time, without credentials."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps(redact_tree({"time": time, "event": event, **facts}))


def _join_lines(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _build_cleaner(longest: int) -> BeforeValidator:
    return BeforeValidator(lambda text: clean(text, longest) if isinstance(text, str) else text)


Sentence = Annotated[str, _build_cleaner(MAX_CHARACTERS), Field(max_length=MAX_CHARACTERS)]
"""A field whose value is cleaned when it is set, whoever sets it."""
ShortSentence = Annotated[str, _build_cleaner(512), Field(max_length=512)]
"""The same, for lists of them."""
