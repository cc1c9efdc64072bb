"""How much a verification reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Depth:
    """What is compared beside names and manifests."""

    contents: bool = True
    """False: sizes by listing; True: the sha256 of every file."""
    labels: bool = False
    """True: ids, masks, tables and counts against each other too."""
    share: float = 1.0
    """Share of the runs, or of the files of an export, drawn by a hash."""
