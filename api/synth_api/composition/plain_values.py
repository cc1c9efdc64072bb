"""Check that trees from files and custom resources hold plain values within bounds only."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

from synth_api.composition.interpolation import check_interpolation
from synth_api.errors import InputError
from synth_api.problems import format_location, quote_value

MAX_DEPTH: Final = 50
_MAX_KEY: Final = 200


def check_plain(root: str, value: Any, location: tuple[str | int, ...] = ()) -> None:
    """Raise InputError for a value that no recipe may hold; `root` names the file or field that it is in."""
    where = f"{root}: {format_location(location)}" if location else root
    if len(location) > MAX_DEPTH:
        raise InputError(where, f"is nested more than {MAX_DEPTH} deep; flatten it")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or len(key) > _MAX_KEY:
                raise InputError(
                    where, f"the key {quote_value(key)} must be a string of at most {_MAX_KEY} characters; quote it"
                )
            _check_unicode(where, key)
            check_plain(root, item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_plain(root, item, (*location, index))
    elif isinstance(value, float) and not isfinite(value):
        raise InputError(where, f"must be a finite number, not {value}; leave a limit out, or write null, for none")
    elif isinstance(value, int) and abs(value) >= 2**53:
        raise InputError(where, f"must lie within ±(2^53 - 1), {quote_value(value)} does not")
    elif isinstance(value, str):
        _check_unicode(where, value)
        check_interpolation(where, value)


def _check_unicode(where: str, text: str) -> None:
    """Refuse half a surrogate pair, which an escape can make and no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        written = text.encode("ascii", "backslashreplace").decode()
        raise InputError(
            where, f"{quote_value(written)} has an escape that is no character; write the character itself"
        ) from None
