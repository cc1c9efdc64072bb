"""Letters beyond ASCII for Hydra's override grammar, whose words have A-Z, a-z, 0-9, `_` and `-` alone."""

from __future__ import annotations

import re
from itertools import count
from typing import Any, Final

from hydra.core.override_parser.types import ChoiceSweep, QuotedString

_LETTER: Final = re.compile(r"[^\x00-\x7f\W]")


class AsciiWords:
    """Spells each letter or digit beyond ASCII as `<marker><its code point>_`, with a marker that no text contains."""

    def __init__(self, *texts: str) -> None:
        markers = (f"U{number}U" for number in count())
        self._marker = next(marker for marker in markers if not any(marker in text for text in texts))
        self._spelt = re.compile(f"{self._marker}([0-9a-f]+)_")

    def encode(self, text: str) -> str:
        """Return the text with those letters spelt in ASCII; other characters stay."""
        return _LETTER.sub(lambda letter: f"{self._marker}{ord(letter[0]):x}_", text)

    def decode(self, text: str) -> str:
        """Return the text that `encode` was given."""
        return self._spelt.sub(lambda spelt: chr(int(spelt[1], 16)), text)

    def decode_value(self, value: Any) -> Any:
        """Return a decoded copy of a tree or of an override's value that Hydra made from encoded texts."""
        match value:
            case str():
                return self.decode(value)
            case QuotedString():
                return QuotedString(self.decode(value.text), value.quote)
            case list():
                return [self.decode_value(item) for item in value]
            case dict():
                return {self.decode_value(key): self.decode_value(item) for key, item in value.items()}
            case ChoiceSweep():
                value.list = self.decode_value(value.list)
        return value
