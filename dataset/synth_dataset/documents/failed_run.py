"""A failed run, as batch documents and `dataset.json` hold it."""

from __future__ import annotations

from typing import Any

from synth_api.sentences import Sentence
from synth_dataset.documents.document import Document


class FailedRun(Document):
    """Failed run: its number and overrides, a CamelCase reason, a message of one sentence."""

    number: int
    overrides: dict[str, Any]
    reason: str
    message: Sentence = ""
