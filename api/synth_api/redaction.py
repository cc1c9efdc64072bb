"""Redaction of credentials in text: those that this process uses, and everything that looks like one.

`register_credentials` is called where a credential is read, `redact` where text leaves the process.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK: Final = "***"
"""Replacement of a credential."""

_MIN_CREDENTIAL_CHARACTERS: Final = 3
"""Shorter credentials cannot be distinguished from other text."""
_WORD: Final = 8
"""Characters below which a credential is replaced only as a whole word."""
_SPAN: Final = 16
"""Characters of a longer credential that suffice for a match: libraries shorten what they quote."""
_MAX_CREDENTIALS: Final = 16
"""Number of the latest credentials that are kept: tokens of service accounts change every hour."""

_VALUE: Final = r"""(?:\*{3}|b?"(?:[^"\\]|\\.)*"?|b?'(?:[^'\\]|\\.)*'?|[^\s&;,"'<>)]+)"""
_LINE: Final = r"""(?:\*{3}|b?"(?:[^"\\]|\\.)*"?|b?'(?:[^'\\]|\\.)*'?|[^\r\n<]+)"""
_KEY: Final = r"(?:access|secret|api|private)[_-]?(?:access[_-]?)?key(?:[_-]?id)?"
_NAME: Final = rf"(?:signature|credential|token|password|passwd|secret|{_KEY})"
_FIELD: Final = rf"(?:x-amz-(?:security-token|signature|credential)|(?:aws_?)?session_?token|password|(?:aws_?)?{_KEY})"
_ELEMENT: Final = (
    r"[\w:]*(?:token|accesskeyid|secretaccesskey|signature\w*|authorization|credential\w*|password"
    r"|stringtosign\w*|canonicalrequest\w*)"
)
_PATTERNS: Final = tuple(
    (sign, re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for sign, pattern, replacement in (
        ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", MARK),
        # Headers in any notation, whatever their scheme.
        ("authorization", rf"((?<!\w)(?:proxy-)?authorization(?:\\?[\"']\s*[:,=]|\s*[:=])\s*){_LINE}", rf"\1{MARK}"),
        ("cookie", rf"((?<!\w)(?:set-)?cookie(?:\\?[\"']\s*[:,]|:)\s*){_LINE}", rf"\1{MARK}"),
        ("<", rf"(<{_ELEMENT}>)[^<]*", rf"\1{MARK}"),
        ("bearer", r"((?<!\w)bearer\s+)[^\s\"'<>]+", rf"\1{MARK}"),
        ("basic", r"((?<!\w)basic\s+)(?=[a-z+/]*[0-9=])[a-z0-9+/]{6,}=*", rf"\1{MARK}"),
        ("=", rf"((?<![\w.-])[\w.-]{{0,64}}{_NAME}\s*=\s*){_VALUE}", rf"\1{MARK}"),
        ("%3d", rf"((?<![\w.-])[\w.-]{{0,64}}{_NAME}%3D){_VALUE}", rf"\1{MARK}"),
        (":", rf"((?<![\w-]){_FIELD}\\?[\"']?\s*:\s*){_VALUE}", rf"\1{MARK}"),
        ("akia", r"(?<!\w)(?-i:AKIA)[A-Z0-9]{12,}", MARK),
        ("asia", r"(?<!\w)(?-i:ASIA)[A-Z0-9]{12,}", MARK),
        ("eyj", r"(?<!\w)(?-i:eyJ)[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?", MARK),
        # Userinfo of a URL, and of an address without a scheme; a digest of an image is none.
        ("@", r"(?<=://)\S{0,2048}@(?!sha\d)", f"{MARK}@"),
        ("@", r"""(?<![^\s'"`(=,])[^\s'"`@/:=,(]+:[^\s'"`@/]+@(?!sha\d)(?=[\w\[])""", f"{MARK}@"),
    )
)
"""Substring that a matching text in lower case contains, the pattern, and its replacement."""


@dataclass(frozen=True)
class _CredentialPatterns:
    """Patterns of the registered credentials, in every spelling."""

    values: tuple[str, ...] = ()
    whole: re.Pattern[str] | None = None
    """Matches the spellings shorter than _SPAN."""
    spans: frozenset[str] = frozenset()
    """Every substring of _SPAN characters of the longer spellings."""

    @classmethod
    def from_values(cls, values: tuple[str, ...]) -> _CredentialPatterns:
        spellings = {spelling for value in values for spelling in _list_spellings(value)}
        short = sorted((each for each in spellings if len(each) < _SPAN), key=len, reverse=True)
        whole = re.compile("|".join(map(_build_pattern, short))) if short else None
        return cls(values, whole, frozenset(span for each in spellings for span in _iterate_spans(each)))

    def redact(self, text: str) -> str:
        if self.spans:
            text = self._redact_spans(text)
        return self.whole.sub(MARK, text) if self.whole else text

    def _redact_spans(self, text: str) -> str:
        kept: list[str] = []
        end = -1
        for at in (at for at, span in enumerate(_iterate_spans(text)) if span in self.spans):
            if at > end:
                kept.extend((text[max(end, 0) : at], MARK))
            end = at + _SPAN
        return "".join((*kept, text[max(end, 0) :]))


_patterns = _CredentialPatterns()
_lock = Lock()


def register_credentials(values: Iterable[str | None]) -> None:
    """Register credentials that `redact` replaces in this process; None and those of one or two characters are ignored.

    Thread-safe; a call with known values costs nothing.
    """
    global _patterns
    new = [
        value
        for value in values
        if value and len(value) >= _MIN_CREDENTIAL_CHARACTERS and value not in _patterns.values
    ]
    if new:
        with _lock:
            _patterns = _CredentialPatterns.from_values((*_patterns.values, *new)[-_MAX_CREDENTIALS:])


def redact(text: str) -> str:
    """Return the text with credentials replaced; replacements stay as they are."""
    text = _patterns.redact(text)
    lower = text.lower()
    for sign, pattern, replacement in _PATTERNS:
        if sign in lower:
            text = pattern.sub(replacement, text)
    return text


def redact_tree(tree: Any) -> Any:
    """Return a JSON value whose texts are redacted, names of members too."""
    if isinstance(tree, str):
        return redact(tree)
    if isinstance(tree, Mapping):
        return {redact(str(key)): redact_tree(value) for key, value in tree.items()}
    return [redact_tree(value) for value in tree] if isinstance(tree, list | tuple) else tree


def _iterate_spans(text: str) -> Iterator[str]:
    return (text[at : at + _SPAN] for at in range(len(text) - _SPAN + 1))


def _build_pattern(spelling: str) -> str:
    literal = re.escape(spelling)
    return rf"(?<!\w){literal}(?!\w)" if len(spelling) < _WORD else literal


def _list_spellings(secret: str) -> set[str]:
    """Return a credential as it is, and as headers, URLs, JSON, XML, Python and Secrets spell it."""
    plain = {secret, secret.strip(), " ".join(secret.split()), *map(str.strip, secret.splitlines())}
    once = {spelling for text in plain for spelling in _list_escapes(text)}
    twice = {spelling for text in once for spelling in _list_escapes(text)}
    encoded = {spelling for text in plain for spelling in _list_encodings(text)}
    return {text for text in plain | once | twice | encoded if len(text) >= _MIN_CREDENTIAL_CHARACTERS}


def _list_escapes(text: str) -> Iterator[str]:
    data = text.encode(errors="surrogatepass")
    yield text
    for percent in (quote(data, safe=""), quote(data, safe="/"), quote_plus(data)):
        yield from (percent, re.sub("%..", lambda found: found[0].lower(), percent))
    yield json.dumps(text)[1:-1]
    for plain in (repr(text)[1:-1], repr(data)[2:-1]):
        yield from (plain, plain.replace("'", r"\'"), plain.replace('"', r"\""))
    yield from (html.escape(text), html.escape(text, quote=False))
    yield data.decode("latin-1")


def _list_encodings(text: str) -> Iterator[str]:
    """Yield the credential in base64 without its optional padding, and in hexadecimal."""
    data = text.encode(errors="surrogatepass")
    for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        yield encoded.decode().rstrip("=")
    yield from (data.hex(), data.hex().upper())
