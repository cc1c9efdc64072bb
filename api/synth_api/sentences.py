"""Messages for people and programs: one printable line without credentials, of bounded length."""

from __future__ import annotations

import json
import math
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from synth_api.redaction import redact, redact_tree

MAX_CHARACTERS: Final = 1024
"""Maximum of a sentence, as in a Kubernetes Event."""
MAX_CLAIM_CHARACTERS: Final = 400
"""Maximum of a text that a pod reports."""
MAX_NAME_CHARACTERS: Final = 128
"""Maximum of a name that a pod reports."""
MAX_INTEGER: Final = (1 << 53) - 1
"""Largest integer that every reader of JSON keeps."""
_MAX_READ: Final = 1 << 16
"""Characters of an external text that are processed."""
_MAX_DEPTH: Final = 8
"""Depth of an external JSON value that is kept."""
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters without a glyph that Unicode nevertheless counts as printable."""


def clean(text: str, longest: int = MAX_CHARACTERS) -> str:
    """Return a text as one printable line without credentials, at most `longest` characters; idempotent."""
    text = redact(text[:_MAX_READ])
    line = _join_lines(text)
    return shorten(line if line == text else redact(line), longest)


def clean_tree(tree: Any, depth: int = _MAX_DEPTH) -> Any:
    """Return a JSON value of a pod that a status can hold: clean texts, exact numbers, at most `depth` levels."""
    match tree:
        case None | bool():
            return tree
        case int():
            return tree if abs(tree) <= MAX_INTEGER else clean(hex(tree), MAX_CLAIM_CHARACTERS)
        case float():
            return tree if math.isfinite(tree) else str(tree)
        case Mapping() if depth:
            return {
                clean(str(name), MAX_CLAIM_CHARACTERS): clean_tree(value, depth - 1) for name, value in tree.items()
            }
        case list() | tuple() if depth:
            return [clean_tree(value, depth - 1) for value in tree]
    return clean(tree, MAX_CLAIM_CHARACTERS) if isinstance(tree, str) else "…"


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
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(_BLANK.sub(" ", text).split())


def _build_cleaner(longest: int) -> BeforeValidator:
    return BeforeValidator(lambda text: clean(text, longest) if isinstance(text, str) else text)


Sentence = Annotated[str, _build_cleaner(MAX_CHARACTERS), Field(max_length=MAX_CHARACTERS)]
"""Field whose value is cleaned whenever it is set."""
ClaimedText = Annotated[str, _build_cleaner(MAX_CLAIM_CHARACTERS), Field(max_length=MAX_CLAIM_CHARACTERS)]
"""Text of a pod, cleaned whenever it is set: what a worker writes is what the operator accepts."""
ClaimedName = Annotated[str, _build_cleaner(MAX_NAME_CHARACTERS), Field(max_length=MAX_NAME_CHARACTERS)]
"""Name of a thing that a pod reports, cleaned likewise."""
ClaimedValues = Annotated[dict[str, Any], BeforeValidator(clean_tree)]
"""Values that a pod reports by name, cleaned likewise."""
