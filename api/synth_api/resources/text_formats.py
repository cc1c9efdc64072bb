"""Formats of texts of a sweep, with one pattern and one message for pydantic, CEL and JSON Schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Any, Final

from synth_api.errors import InputError
from synth_api.redaction import redact

_MAX_QUOTED: Final = 80


@dataclass(frozen=True)
class TextFormat:
    """A text of `shortest` to `longest` characters that matches `pattern` and does not match `never`.

    Both patterns mean the same in Python, Go and JavaScript.
    """

    message: str
    """Message, as the continuation of the field's name."""
    pattern: str
    longest: int
    shortest: int = 0
    never: str = ""

    def check(self, text: str) -> str:
        """Return the text itself. Raises InputError."""
        fits = self.shortest <= len(text) <= self.longest and re.search(self.pattern, text) and "\n" not in text
        if not fits or (self.never and re.search(self.never, text)):
            raise self.build_error(text)
        return text

    def build_error(self, text: str) -> InputError:
        """Return the error for a text in another format."""
        quoted = redact(text)
        return InputError(
            "", f"{self.message}, not '{quoted if len(quoted) <= _MAX_QUOTED else f'{quoted[: _MAX_QUOTED - 1]}…'}'"
        )

    def to_json_schema(self) -> dict[str, Any]:
        """Return the keywords of JSON Schema."""
        shortest = {"minLength": self.shortest} if self.shortest else {}
        return {"pattern": self.pattern, "maxLength": self.longest, **shortest}

    def to_cel(self, field: str) -> str:
        """Return a CEL expression for a field that is present; the schema bounds its length."""
        matches = f'{field}.matches(r"{self.pattern}")'
        return f'{matches} && !{field}.matches(r"{self.never}")' if self.never else matches


_LABEL: Final = "[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_LAST_LABEL: Final = "([0-9]*[A-Za-z]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?|[0-9]+[_-][A-Za-z0-9_-]{0,61}[A-Za-z0-9])"
_OCTET: Final = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = f"({_OCTET}[.]){{3}}{_OCTET}"
_PORT: Final = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_BUCKET_LABEL: Final = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_WORD: Final = "[A-Za-z0-9!_.*'()-]+"

ENDPOINT: Final = TextFormat(
    message="must be the host of a store without a scheme, with a port from 1 to 65535 unless it is the usual one, "
    "such as minio.store.svc:9000, 10.0.0.7:9000 or [2001:db8::7]:9000",
    pattern=f"^(({_LABEL}[.])*{_LAST_LABEL}[.]?|{_IPV4}|\\[[0-9A-Fa-f:.]{{2,45}}\\])(:{_PORT})?$",
    longest=259,
    shortest=1,
)
BUCKET: Final = TextFormat(
    message="must be a name that S3 allows: 3 to 63 lower-case letters, digits, '-' and '.', a letter or digit at both "
    "ends and around each '.', no IP address, none of the endings -s3alias and --ol-s3",
    pattern=f"^{_BUCKET_LABEL}([.]{_BUCKET_LABEL})*$",
    longest=63,
    shortest=3,
    never=f"^{_IPV4}$|-s3alias$|--ol-s3$",
)
PREFIX: Final = TextFormat(
    message="must be a folder in the bucket, such as lab/datasets: names of letters, digits, apostrophes and !_.*()- "
    "with '/' between them and not at the ends, none of them '.' or '..', at most 512 characters",
    pattern=f"^({_WORD}(/{_WORD})*)?$",
    longest=512,
    never="(^|/)[.]{1,2}(/|$)",
)
REGION: Final = TextFormat(
    message="must be the name of a region, such as eu-central-1: letters, digits, '-' and '_', at most 63",
    pattern=f"^({_LABEL})?$",
    longest=63,
)
NAMESPACE: Final = TextFormat(
    message="must be the name of a namespace: lower-case letters, digits and '-', no '-' at its ends, at most 63",
    pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
    longest=63,
    shortest=1,
)
DATASET_VERSION: Final = TextFormat(
    message="must be the name of a version, such as 3 or 1.0-rc1: letters, digits, '.', '_' and '-', a letter or digit "
    "at both ends, at most 63, and not dataset.json",
    pattern="^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    longest=63,
    shortest=1,
    never="^dataset[.]json$",
)
SHARD_SIZE: Final = TextFormat(
    message="must be a size in Mi or Gi, such as 256Mi or 1Gi",
    pattern="^[1-9][0-9]{0,5}[MG]i$",
    longest=8,
)
QUANTITY: Final = TextFormat(
    message="must be a quantity as Kubernetes writes it, such as 500m, 2 or 16Gi",
    pattern="^([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?$",
    longest=32,
    shortest=1,
)


def check_quantity(quantity: int | str) -> int | str:
    """Return the quantity itself. Raises InputError."""
    QUANTITY.check(str(quantity))
    return quantity


def check_endpoint(text: str) -> str:
    """Return the endpoint itself. Raises InputError."""
    ENDPOINT.check(text)
    if text.startswith("["):
        try:
            IPv6Address(text[1 : text.index("]")])
        except AddressValueError:
            raise ENDPOINT.build_error(text) from None
    return text
