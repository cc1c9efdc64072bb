"""Files of an export that have pictures, as `croissant.json` describes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PictureFiles:
    """Files with pictures: a record for each, or for each row of them, has split and pictures.

    `split` is the regular expression that takes the split out of a path. `columns` are columns with pictures, if the
    files are tables; without them each file is a picture.
    """

    name: str
    pattern: str
    kind: str
    """Media type of the files."""
    split: str
    columns: tuple[str, ...] = ()
