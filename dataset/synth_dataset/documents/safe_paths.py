"""Paths that documents name: they are data, and may not lead out of a store."""

from __future__ import annotations

import posixpath

from synth_dataset.documents.document import DocumentError


def check_stored_path(path: str) -> str:
    """Return a relative path. Raises DocumentError for one that leads out of its folder, or is not in normal form."""
    is_plain = path.isprintable() and "\\" not in path and posixpath.normpath(path) == path
    if not is_plain or path.startswith(("..", "/", "~")) or path == ".":
        raise DocumentError(f"'{path[:80]}' is no path in a dataset; this program did not write the document")
    return path
