"""The files that every committed dataset gets beside its index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from synth_dataset.finalize import View

GALLERY: Final = "index.html"

VIEWS: Final[dict[str, View]] = {}
