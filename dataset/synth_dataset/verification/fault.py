"""Faults: what a document says of a file, what the file is, and what helps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from synth_dataset.documents.document import DocumentError

NOTHING: Final = "nothing"
"""What is found of a missing file."""
EXPORT_REMEDY: Final = "the same synth export, or synth dataset build, into an empty folder writes it again"
DOCUMENT_REMEDY: Final = "synth verify --repair writes the documents of the dataset again"
RECIPE_REMEDY: Final = "synth verify --repair writes it again"


@dataclass(frozen=True)
class Fault:
    """A file that is not what it should be."""

    file: str
    """Its address."""
    expected: str
    found: str
    remedy: str
    run: int | None = None
    """Number of the run that the file belongs to; None for a document of the dataset, and in an export."""

    @property
    def problem(self) -> str:
        """The fault without its remedy."""
        return f"{self.file}: expected {self.expected}, found {self.found}"

    @property
    def sentence(self) -> str:
        """The fault as one sentence."""
        return f"{self.problem}; {self.remedy}"

    def to_json(self) -> dict[str, Any]:
        """Return the entry of the JSON report."""
        return {**asdict(self), "sentence": self.sentence}


@dataclass(frozen=True)
class Checked:
    """Outcome of one step of a verification."""

    faults: tuple[Fault, ...] = ()
    files: int = 0
    """Files that were looked at, or read."""
    bytes: int = 0
    """Of what was read."""
    run: int | None = None
    """The run that was checked; None for documents."""


def shorten_digest(digest: str) -> str:
    """Return the beginning of a sha256, enough to tell two apart."""
    return f"{digest[:16]}…"


def explain_remedy(run: int) -> str:
    """Return the remedy for a file of a run."""
    return f"synth verify --repair renders run {run} again"


def shorten_error(error: DocumentError, address: str) -> str:
    """Return what is wrong with a document, without the address before it and the remedy after it."""
    return str(error).removeprefix(f"{address}: ").partition("; ")[0]
