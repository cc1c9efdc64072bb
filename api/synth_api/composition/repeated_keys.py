"""Keys that occur twice in a mapping of an override: Hydra's parser silently keeps the last value."""

from __future__ import annotations

from typing import Final

from hydra.grammar.gen.OverrideLexer import InputStream, OverrideLexer  # type: ignore[attr-defined]

_LISTS: Final = (OverrideLexer.BRACKET_OPEN, OverrideLexer.POPEN)
_ENDS: Final = (OverrideLexer.BRACE_CLOSE, OverrideLexer.BRACKET_CLOSE, OverrideLexer.PCLOSE)


def find_repeated_key(text: str) -> str | None:
    """Return the first key that a mapping has a second time, of an override that Hydra's grammar can read."""
    if "{" not in text:
        return None
    keys_of: list[set[str] | None] = [None]  # of each open bracket: a mapping's keys so far, None for a list
    start: int | None = None  # of the next key, None within a value
    for token in OverrideLexer(InputStream(text)).getAllTokens():
        keys = keys_of[-1]
        if token.type == OverrideLexer.COLON and keys is not None and start is not None:
            key = text[start : token.start].strip()
            if key in keys:
                return key
            keys.add(key)
            start = None
        elif token.type == OverrideLexer.BRACE_OPEN:
            keys_of.append(set())
            start = token.stop + 1
        elif token.type in _LISTS:
            keys_of.append(None)
        elif token.type in _ENDS:
            keys_of.pop()
        elif token.type == OverrideLexer.COMMA and keys is not None:
            start = token.stop + 1
    return None
