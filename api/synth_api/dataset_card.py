"""What people say of a dataset: title, licence, authors, split; `dataset` of a recipe, `spec.dataset` of a sweep."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from synth_api.errors import InputError, suggest_name
from synth_api.splits import Splits, build_shares

COMMON_LICENCES: Final = (
    "Apache-2.0",
    "CC-BY-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "MIT",
    "ODbL-1.0",
    "ODC-By-1.0",
)
"""Licences that datasets often have, as suggestions."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_BUT_LINES: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_licence(expression: str) -> str:
    """Return an SPDX licence expression in its canonical case, empty for none. Raises InputError."""
    if not expression:
        return ""
    try:
        return canonicalize_license_expression(expression)
    except InvalidLicenseExpression:
        problem = f"'{expression[:80]}' is no SPDX licence identifier; {suggest_name(expression, COMMON_LICENCES)}"
        raise InputError("", f"{problem} (https://spdx.org/licenses lists all)") from None


def _check_line(text: str) -> str:
    if _CONTROL.search(text):
        raise InputError("", "must be one line of text without control characters; write it in one line")
    return text


def _check_paragraphs(text: str) -> str:
    if _CONTROL_BUT_LINES.search(text):
        raise InputError("", "must be text without control characters other than line ends; take them out")
    return text


def _check_split(shares: dict[str, float]) -> dict[str, float]:
    ordered = dict(sorted(shares.items()))
    if ordered:
        build_shares(ordered.items(), "")
    return ordered


Line = Annotated[str, Field(max_length=200), AfterValidator(_check_line)]
Paragraphs = Annotated[str, Field(max_length=10_000), AfterValidator(_check_paragraphs)]


SplitShares = Annotated[dict[str, float], Field(max_length=32), AfterValidator(_check_split)]
"""Split -> share of the seeds."""


class Card(BaseModel):
    """Title, description, licence, authors and citation of a dataset."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    title: Line = ""
    """Title for people; the name is that of the sweep."""
    description: Paragraphs = ""
    """What the dataset shows and what it is for."""
    licence: Annotated[str, Field(max_length=200), AfterValidator(check_licence)] = ""
    """Licence as an SPDX identifier or expression, such as `CC-BY-4.0`."""
    authors: Annotated[tuple[Line, ...], Field(max_length=100)] = ()
    """Names of the authors, in order."""
    citation: Paragraphs = ""
    """How to cite it: a sentence or BibTeX."""

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, value: Any) -> Any:
        """Raise an error that lists the known keys; null values count as left out."""
        if not isinstance(value, dict):
            return value
        unknown = next((key for key in value if key not in cls.model_fields), None)
        if unknown is not None:
            raise PydanticCustomError(
                "unknown_key", "there is no such key", {"key": unknown, "known": sorted(cls.model_fields)}
            )
        return {key: item for key, item in value.items() if item is not None}

    def list_values(self) -> dict[str, Any]:
        """Return the keys that have a value, as plain JSON values."""
        return {key: value for key, value in self.model_dump(mode="json").items() if value}


class DatasetCard(Card):
    """The card of a sweep's dataset, with its version and split; nothing of it is part of a run or its key."""

    version: Annotated[str, Field(max_length=64), AfterValidator(_check_line)] = ""
    """Version that its authors give it, such as `1.0`."""
    split: SplitShares = {}
    """Split -> share of the seeds, summing to 1: `{train: 0.8, val: 0.1, test: 0.1}`."""

    @property
    def splits(self) -> Splits | None:
        """The splits, their names in code-point order as in all maps of a recipe; None without any."""
        return Splits(build_shares(self.split.items())) if self.split else None
