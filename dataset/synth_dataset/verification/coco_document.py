"""Documents in COCO's format as streams: entries line by line, as this program writes them."""

from __future__ import annotations

import json
from io import BufferedReader
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from synth_dataset.store.stored_file import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synth_dataset.store.base import Store

_BUFFER_BYTES: Final = 1 << 20


class CocoError(ValueError):
    """A document is not what this program writes."""


class CocoDocument:
    """`coco.json` of a dataset, or `instances_<split>.json` of an export; memory holds one entry."""

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path

    def read_head(self) -> dict[str, Any]:
        """Return what precedes the images: info, licences and categories. Raises CocoError, FileNotFoundError."""
        with self._open() as stream:
            line = stream.readline().rstrip()
        if not line.endswith(b',"images":['):
            raise CocoError("the array of images does not begin at the end of the first line")
        head: dict[str, Any] = _parse(line.removesuffix(b',"images":[') + b"}")
        return head

    def iterate_images(self) -> Iterator[dict[str, Any]]:
        """Yield the images in order. Raises CocoError, FileNotFoundError."""
        return self._iterate(b'"images":[')

    def iterate_annotations(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Yield the id of each image that has annotations with these. Raises CocoError, FileNotFoundError."""
        for image, notes in groupby(self._iterate(b'"annotations":['), lambda note: int(note["image_id"])):
            yield image, list(notes)

    def _iterate(self, start: bytes) -> Iterator[dict[str, Any]]:
        with self._open() as stream:
            is_inside = False
            for line in stream:
                if not is_inside:
                    is_inside = line.rstrip().endswith(start)
                elif line.startswith(b"]"):
                    return
                else:
                    yield _parse(line.strip().removesuffix(b","))
        raise CocoError(f"{start.decode()} has no end")

    def _open(self) -> BufferedReader:
        return BufferedReader(StoredFile(self._store, self._path), _BUFFER_BYTES)


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise CocoError(f"'{text[:40].decode(errors='replace')}' is not JSON") from None
