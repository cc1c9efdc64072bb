"""Canonical JSON, from which run keys and hashes of plans, attempts and Jobs are made."""

from __future__ import annotations

from typing import Any

import rfc8785


def canonical_json(tree: Any) -> bytes:
    """Return a value as RFC 8785 JSON: the same bytes for any order of keys and any spelling of numbers (`1` = `1.0`).

    Takes dicts with string keys, lists, tuples, strings, bools, None, finite floats and integers within ±(2^53 - 1);
    raises `rfc8785.CanonicalizationError` on anything else.
    """
    return rfc8785.dumps(tree)
